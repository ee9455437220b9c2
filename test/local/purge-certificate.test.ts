// Certificates in S3, signed by KMS: both over the wire with the real SDK, with faults between any two requests.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildCertificate, type CertificateFacts } from '../../functions/purge/certificate/build-certificate.ts';
import { sha256Of } from '../../functions/purge/certificate/canonical-json.ts';
import { certificateText } from '../../functions/purge/certificate/certificate.ts';
import { findPreviousCertificate } from '../../functions/purge/certificate/find-previous.ts';
import { storeCertificate } from '../../functions/purge/certificate/store-certificate.ts';
import { verifyCertificate } from '../../functions/purge/certificate/verify-certificate.ts';
import { purgeKeys } from '../../functions/shared/backup-layout.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { openSigningKey } from '../../functions/shared/signing-key.ts';
import { type KmsFault, type KmsServer, startKmsServer } from '../../local/kms-server.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { certificateFacts } from '../support/purge-certificate.ts';

let aws: LocalAws;
let kms: KmsServer;
let kmsFault: KmsFault | undefined;
let keyArn: string;
let databases = 0;

beforeAll(async () => {
  aws = await startLocalAws();
  kms = await startKmsServer({ fault: () => kmsFault });
  process.env['AWS_ENDPOINT_URL_KMS'] = kms.endpoint;
  keyArn = kms.createKey('ECC_NIST_P256');
});

afterEach(() => {
  aws.setFault(undefined);
  kmsFault = undefined;
});

afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL_KMS'];
  await kms.stop();
  await aws.stop();
});

/** A database of its own in the bucket, and one series to certify in it. */
function series(arn: string | undefined = keyArn) {
  databases += 1;
  const database = `orders-${databases}`;
  const store = createObjectStore(BUCKET);
  const keys = purgeKeys(database, 'orders-7y', '41');
  const signingKey = arn === undefined ? undefined : openSigningKey(arn, { answerTimeoutMs: 200 });
  onTestFinished(() => signingKey?.close());
  const certify = async (more: Partial<CertificateFacts> = {}, key = signingKey) =>
    await storeCertificate(
      { store, clock: systemClock, signingKey: key },
      keys,
      buildCertificate(certificateFacts({ database, ...more })),
    );
  const path = (key: string) => join(aws.bucketFolder, key);
  const read = (key: string) => readFileSync(path(key));
  const verdict = (publicKeyPem = kms.publicKeyPem(keyArn)) =>
    verifyCertificate({
      certificate: read(keys.certificate),
      signature: existsSync(path(keys.signature)) ? read(keys.signature).toString() : undefined,
      publicKeyPem,
    }).result;
  return { database, store, keys, certify, path, read, verdict };
}

describe('storeCertificate', () => {
  test('for the first time: three objects, the signature of the exact bytes, and the hash of them', async () => {
    const { keys, certify, read, verdict, database } = series();

    const stored = await certify();

    expect(stored).toMatchObject({
      key: keys.certificate,
      sha256: sha256Of(read(keys.certificate)),
      signing: { state: 'signed', key: keys.signature },
    });
    expect(read(keys.certificate).toString()).toBe(certificateText(buildCertificate(certificateFacts({ database }))));
    expect(read(keys.readable).toString()).toContain(stored.sha256);
    expect(verdict()).toBe('valid');
    expect(verdict(kms.publicKeyPem(kms.createKey('ECC_NIST_P256')))).toBe('signed by another key');
  });

  test('a key of RSA: signed with PSS, and valid', async () => {
    const rsa = kms.createKey('RSA_2048');
    const { certify, verdict } = series(rsa);

    await certify();

    expect(verdict(kms.publicKeyPem(rsa))).toBe('valid');
  });

  test('no key is set: stored unsigned by choice, and KMS is not asked', async () => {
    const before = kms.requests().length;
    const { keys, path, read, verdict, store, database } = series();

    const { signing } = await storeCertificate(
      { store, clock: systemClock, signingKey: undefined },
      keys,
      buildCertificate(certificateFacts({ database })),
    );

    expect(signing).toEqual({ state: 'no key is set' });
    expect(kms.requests()).toHaveLength(before);
    expect(existsSync(path(keys.signature))).toBe(false);
    expect(read(keys.readable).length).toBeGreaterThan(5_000);
    expect(verdict()).toBe('unsigned');
  });

  test('twice: the second finds all of it, writes nothing and asks KMS for nothing', async () => {
    const { keys, certify, read } = series();
    const first = await certify();
    const before = { requests: kms.requests().length, signature: read(keys.signature) };

    const second = await certify();

    expect(second).toEqual(first);
    expect(kms.requests()).toHaveLength(before.requests);
    expect(read(keys.signature)).toEqual(before.signature);
  });

  test.each(['certificate', 'readable', 'signature'] as const)(
    'S3 fails at the put of the %s: told, and the next try stores the same bytes and what was missing',
    async (object) => {
      const { keys, certify, read, path, verdict } = series();
      aws.setFault((request) =>
        request.method === 'PUT' && request.key === keys[object] ? { status: 503, code: 'SlowDown' } : undefined,
      );
      await expect(certify()).rejects.toMatchObject({ code: 'object_store.failed' });
      expect(existsSync(path(keys[object]))).toBe(false);
      const before = existsSync(path(keys.certificate)) ? read(keys.certificate) : undefined;
      aws.setFault(undefined);

      const stored = await certify();

      expect(stored.signing.state).toBe('signed');
      if (before !== undefined) expect(read(keys.certificate)).toEqual(before);
      expect(verdict()).toBe('valid');
    },
  );

  test('settings and date of the copies changed between two tries: the first certificate stays, page and signature are of it', async () => {
    const { keys, certify, read, verdict } = series();
    kmsFault = { status: 400, code: 'AccessDeniedException' };
    const first = await certify();
    kmsFault = undefined;

    const second = await certify({ kept: { backupsKeptDays: 7, pitrDays: null, archiveKeptDays: null } });

    expect(second.certificate).toEqual(first.certificate);
    expect(second.sha256).toBe(first.sha256);
    expect(read(keys.readable).toString()).toContain(first.sha256);
    expect(verdict()).toBe('valid');
  });

  test('a certificate of other work is there: refused and not overwritten', async () => {
    const { keys, certify, read } = series();
    await certify();
    const before = read(keys.certificate);

    const again = certify({ rows: { ...certificateFacts().rows, done: 1 } });

    await expect(again).rejects.toMatchObject({
      code: 'object_store.exists',
      message: expect.stringContaining('tells of other work'),
    });
    expect(read(keys.certificate)).toEqual(before);
  });

  test('somebody changed the stored certificate: the signature beside it is not of it, which is told', async () => {
    const { keys, certify, read, path, verdict } = series();
    await certify();
    const forged = JSON.parse(read(keys.certificate).toString());
    writeFileSync(path(keys.certificate), certificateText({ ...forged, databaseRole: 'somebody' }));

    // The page does not name the changed bytes any more.
    await expect(certify()).rejects.toMatchObject({ code: 'object_store.exists' });
    expect(verdict()).toBe('changed since signed');
  });

  test.each([
    ['refuses', { status: 400, code: 'AccessDeniedException' }, 'AccessDeniedException'],
    ['throttles without an end', { status: 400, code: 'ThrottlingException' }, 'ThrottlingException'],
    ['fails', { status: 500, code: 'KMSInternalException' }, 'KMSInternalException'],
    ['is silent', 'silence', 'TimeoutError'],
    ['answers with a signature of something else', 'wrong signature', 'does not confirm the signature'],
  ] as const)(
    'KMS %s: the certificate is stored, the failure is told, and a later run signs it',
    async (_, fault, name) => {
      const { keys, certify, path, verdict } = series();
      kmsFault = fault;

      const { signing, key } = await certify();

      expect(key).toBe(keys.certificate);
      expect(signing).toMatchObject({
        state: 'failed',
        failure: {
          code: 'purge.not_signed',
          message: expect.stringContaining(name),
          safeState: 'The purge is done and its certificate is stored, without a signature',
        },
      });
      expect(existsSync(path(keys.readable))).toBe(true);
      expect(verdict()).toBe('unsigned');
      kmsFault = undefined;
      expect((await certify()).signing.state).toBe('signed');
      expect(verdict()).toBe('valid');
    },
  );

  test('a key that cannot sign a certificate: told with its type', async () => {
    const { certify } = series(kms.createKey('ECC_NIST_P384'));

    expect((await certify()).signing).toMatchObject({
      state: 'failed',
      failure: { message: expect.stringContaining('ECC_NIST_P384') },
    });
  });
});

describe('findPreviousCertificate', () => {
  test('several series: the newest before this one that has a certificate, by number and not by text', async () => {
    const { database, store } = series();
    const put = async (policy: string, seriesId: string, text: string) =>
      await store.putNew(purgeKeys(database, policy, seriesId).certificate, text, 'application/json');
    await put('orders-7y', '9', 'nine');
    await put('orders-7y', '10', 'ten');
    await put('orders-7y', '41', 'later');
    await put('orders-7y-too', '11', 'of another policy');
    await store.putNew(purgeKeys(database, 'orders-7y', '12').readable, 'a page alone', 'text/html');

    const find = async (seriesId: string) =>
      await findPreviousCertificate(store, { database, policy: 'orders-7y', seriesId });

    expect(await find('41')).toEqual({
      key: `${database}/purged/orders-7y/10/certificate.json`,
      sha256: sha256Of('ten'),
    });
    expect(await find('10')).toEqual({
      key: `${database}/purged/orders-7y/9/certificate.json`,
      sha256: sha256Of('nine'),
    });
    expect(await find('9')).toBeNull();
  });
});
