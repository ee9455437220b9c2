// Whether a certificate is what was signed, with keys of node:crypto and no network.
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { buildCertificate } from '../../../functions/purge/certificate/build-certificate.ts';
import { sha256Of } from '../../../functions/purge/certificate/canonical-json.ts';
import { bodyHash, type Certificate, certificateText } from '../../../functions/purge/certificate/certificate.ts';
import { type CertificateSignature, publicKeyHash } from '../../../functions/purge/certificate/signature.ts';
import { verifyCertificate } from '../../../functions/purge/certificate/verify-certificate.ts';
import { certificateFacts } from '../../support/purge-certificate.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

const certificate = buildCertificate(certificateFacts());
const bytesOf = (one: Certificate) => Buffer.from(certificateText(one));

function signatureOf(bytes: Buffer, key = ec, more: Partial<CertificateSignature> = {}): string {
  const isRsa = key.privateKey.asymmetricKeyType === 'rsa';
  const padding = isRsa ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
  const publicKeyPem = pemOf(key.publicKey);
  return JSON.stringify({
    signatureVersion: 1,
    certificateKey: 'orders/purged/orders-7y/41/certificate.json',
    keyArn: 'arn:aws:kms:us-east-1:123456789012:key/1',
    algorithm: isRsa ? 'RSASSA_PSS_SHA_256' : 'ECDSA_SHA_256',
    digest: sha256Of(bytes),
    signature: sign('sha256', bytes, { key: key.privateKey, ...padding }).toString('base64'),
    publicKeyPem,
    publicKeySha256: publicKeyHash(publicKeyPem),
    signedAt: '2026-11-24T08:19:32.000Z',
    ...more,
  });
}

const check = (bytes: Buffer, signature: string | undefined, key = ec) =>
  verifyCertificate({ certificate: bytes, signature, publicKeyPem: pemOf(key.publicKey) }).result;

describe('verifyCertificate', () => {
  test.each([
    ['ECDSA', ec],
    ['RSA', rsa],
  ])('signed by the trusted key with %s, and not changed: valid, with who and when', (_, key) => {
    const bytes = bytesOf(certificate);

    expect(
      verifyCertificate({
        certificate: bytes,
        signature: signatureOf(bytes, key),
        publicKeyPem: pemOf(key.publicKey),
      }),
    ).toEqual({
      result: 'valid',
      because:
        'signed at 2026-11-24T08:19:32.000Z by "arn:aws:kms:us-east-1:123456789012:key/1", and not changed since',
    });
  });

  test('a count was changed, and the hash of the body made again: changed since signed', () => {
    const forged = { ...certificate, rows: { ...certificate.rows, held: 0 } };
    const signature = signatureOf(bytesOf(certificate));

    expect(check(bytesOf({ ...forged, bodySha256: bodyHash(forged) }), signature)).toBe('changed since signed');
    expect(check(bytesOf(forged), signature)).toBe('changed since signed');
  });

  test('a byte that no reader of JSON would see was added: changed since signed', () => {
    const bytes = bytesOf(certificate);

    expect(check(Buffer.concat([bytes, Buffer.from(' ')]), signatureOf(bytes))).toBe('changed since signed');
  });

  test('the digest in the signature was changed with the certificate: changed since signed', () => {
    const forged = bytesOf({ ...certificate, database: 'x' });

    expect(check(forged, signatureOf(bytesOf(certificate), ec, { digest: sha256Of(forged) }))).toBe(
      'changed since signed',
    );
  });

  test('signed by another key, also one that brings its own public key along: signed by another key', () => {
    const bytes = bytesOf(certificate);

    expect(check(bytes, signatureOf(bytes, other))).toBe('signed by another key');
  });

  test('signed by another key which says that it is the trusted one: not valid', () => {
    const bytes = bytesOf(certificate);
    const publicKeySha256 = publicKeyHash(pemOf(ec.publicKey));

    expect(check(bytes, signatureOf(bytes, other, { publicKeySha256 }))).toBe('changed since signed');
    expect(check(bytes, signatureOf(bytes, rsa, { publicKeySha256 }))).toBe('changed since signed');
  });

  test('no signature: unsigned, or body hash wrong when that does not fit', () => {
    expect(check(bytesOf(certificate), undefined)).toBe('unsigned');
    expect(check(bytesOf({ ...certificate, database: 'x' }), undefined)).toBe('body hash wrong');
  });

  test('signed as it is, but with a wrong hash of its body: body hash wrong', () => {
    const bytes = bytesOf({ ...certificate, bodySha256: '0'.repeat(64) });

    expect(check(bytes, signatureOf(bytes))).toBe('body hash wrong');
  });

  test('either of the two is damaged: unreadable', () => {
    const bytes = bytesOf(certificate);
    const half = bytes.subarray(0, 400);

    expect(check(half, undefined)).toBe('unreadable');
    expect(check(half, signatureOf(half))).toBe('unreadable');
    expect(check(bytes, '{"signatureVersion":1')).toBe('unreadable');
    expect(check(bytes, signatureOf(bytes, ec, { signedAt: 'yesterday' }))).toBe('unreadable');
  });

  test('the trusted key is written with other line breaks: the same key', () => {
    const bytes = bytesOf(certificate);
    const publicKeyPem = pemOf(ec.publicKey).replaceAll('\n', '\r\n');

    expect(verifyCertificate({ certificate: bytes, signature: signatureOf(bytes), publicKeyPem }).result).toBe('valid');
  });

  test('what is trusted is no public key: an error, not a result', () => {
    expect(() =>
      verifyCertificate({ certificate: bytesOf(certificate), signature: undefined, publicKeyPem: 'anna' }),
    ).toThrow(/DECODER|PEM/);
  });
});
