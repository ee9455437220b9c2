// The KMS stand-in over the real SDK; each of its signatures is checked by node:crypto, which had no part in making it.
import { verify } from 'node:crypto';
import {
  DescribeKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
  type SignCommandInput,
} from '@aws-sdk/client-kms';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256Of } from '../../functions/purge/certificate/canonical-json.ts';
import { isSignatureOf } from '../../functions/purge/certificate/verify-certificate.ts';
import { openSigningKey, SigningKeyError } from '../../functions/shared/signing-key.ts';
import { type KmsSettings, startKmsServer } from '../../local/kms-server.ts';

async function start(settings: KmsSettings = {}) {
  const server = await startKmsServer(settings);
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_KMS: server.endpoint,
  });
  const client = new KMSClient({ maxAttempts: 1 });
  onTestFinished(async () => {
    client.destroy();
    await server.stop();
    delete process.env['AWS_ENDPOINT_URL_KMS'];
  });
  return { server, client };
}

const BYTES = Buffer.from('what is signed');
const DIGEST = Buffer.from(sha256Of(BYTES), 'hex');

const request = (KeyId: string, more: Partial<SignCommandInput> = {}): SignCommandInput => ({
  KeyId,
  Message: DIGEST,
  MessageType: 'DIGEST',
  SigningAlgorithm: 'ECDSA_SHA_256',
  ...more,
});

describe('openSigningKey', () => {
  test.each([
    ['ECC_NIST_P256', 'ECDSA_SHA_256'],
    ['RSA_2048', 'RSASSA_PSS_SHA_256'],
  ] as const)(
    'a key of type %s: its algorithm is %s, and its public half confirms forty signatures',
    async (spec, expected) => {
      const { server } = await start();
      const arn = server.createKey(spec);
      const key = openSigningKey(arn);

      const { keyArn, algorithm, publicKeyPem } = await key.readPublicKey();

      expect({ keyArn, algorithm, publicKeyPem }).toEqual({
        keyArn: arn,
        algorithm: expected,
        publicKeyPem: server.publicKeyPem(arn),
      });
      // Lengths of numbers in DER and leading zeros vary from one to the next.
      for (let round = 0; round < 40; round += 1) {
        const signature = await key.sign(DIGEST, algorithm);
        expect(isSignatureOf(BYTES, algorithm, publicKeyPem, signature)).toBe(true);
        expect(isSignatureOf(Buffer.from('something else'), algorithm, publicKeyPem, signature)).toBe(false);
      }
      key.close();
    },
  );

  test('a key that signs with neither algorithm: refused with its type and what it has', async () => {
    const { server } = await start();
    const key = openSigningKey(server.createKey('ECC_NIST_P384'));

    await expect(key.readPublicKey()).rejects.toThrow(
      /is of type ECC_NIST_P384, which signs with ECDSA_SHA_384; it must sign with ECDSA_SHA_256 or RSASSA_PSS_SHA_256/,
    );
  });

  test.each([
    ['throttles', { status: 400, code: 'ThrottlingException', times: 1 }],
    ['fails', { status: 500, code: 'KMSInternalException', times: 2 }],
  ])('KMS %s for a moment: the next try is answered', async (_, fault) => {
    const { server } = await start({ fault: () => fault });
    const key = openSigningKey(server.createKey('ECC_NIST_P256'));

    expect(await key.readPublicKey()).toMatchObject({ algorithm: 'ECDSA_SHA_256' });
    expect(server.requests()).toHaveLength(fault.times + 1);
  });

  test.each([
    ['AccessDeniedException', { status: 400, code: 'AccessDeniedException' }, 1],
    ['DisabledException', { status: 400, code: 'DisabledException' }, 1],
    ['KMSInternalException', { status: 500, code: 'KMSInternalException' }, 3],
    ['TimeoutError', 'silence', 3],
  ] as const)(
    '%s to the end: an error with the key and that name, and no more than three tries',
    async (name, fault, tries) => {
      const { server } = await start({ fault: () => fault });
      const arn = server.createKey('ECC_NIST_P256');

      const asked = openSigningKey(arn, { answerTimeoutMs: 200 }).readPublicKey();

      await expect(asked).rejects.toThrow(SigningKeyError);
      await expect(asked).rejects.toThrow(`KMS did not give the public key with key "${arn}": ${name}`);
      expect(server.requests()).toHaveLength(tries);
    },
  );

  test('the connection breaks: tried again', async () => {
    let left = 1;
    const { server } = await start({ fault: () => (left-- > 0 ? 'drop' : undefined) });
    const key = openSigningKey(server.createKey('ECC_NIST_P256'));

    expect(await key.readPublicKey()).toMatchObject({ algorithm: 'ECDSA_SHA_256' });
    expect(server.requests()).toHaveLength(2);
  });
});

describe('startKmsServer', () => {
  test('two keys: what one has signed the other does not confirm', async () => {
    const { server, client } = await start();
    const [one, two] = [server.createKey('ECC_NIST_P256'), server.createKey('ECC_NIST_P256')];

    const { Signature = Buffer.alloc(0) } = await client.send(new SignCommand(request(one)));

    expect(verify('sha256', BYTES, server.publicKeyPem(one), Signature)).toBe(true);
    expect(verify('sha256', BYTES, server.publicKeyPem(two), Signature)).toBe(false);
  });

  test.each([
    ['a digest of another length', { Message: Buffer.from('short') }, 'ValidationException'],
    ['a message instead of a digest', { MessageType: 'RAW' }, 'ValidationException'],
    ['the algorithm of another type of key', { SigningAlgorithm: 'RSASSA_PSS_SHA_256' }, 'InvalidKeyUsageException'],
    ['a parameter that is not known here', { GrantTokens: ['t'] }, 'ValidationException'],
    ['a key that is not there', { KeyId: 'arn:aws:kms:us-east-1:123456789012:key/none' }, 'NotFoundException'],
  ] satisfies [string, Partial<SignCommandInput>, string][])('%s: refused', async (_, more, name) => {
    const { server, client } = await start();

    await expect(client.send(new SignCommand(request(server.createKey('ECC_NIST_P256'), more)))).rejects.toMatchObject({
      name,
    });
  });

  test('another operation, no signature, or no JSON: refused', async () => {
    const { server, client } = await start();
    const arn = server.createKey('ECC_NIST_P256');
    const headers = { 'x-amz-target': 'TrentService.GetPublicKey' };

    await expect(client.send(new DescribeKeyCommand({ KeyId: arn }))).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
    const unsigned = await fetch(server.endpoint, { method: 'POST', headers, body: JSON.stringify({ KeyId: arn }) });
    expect(await unsigned.text()).toContain('MissingAuthenticationTokenException');
    const broken = await fetch(server.endpoint, { method: 'POST', headers, body: '{' });
    expect(await broken.text()).toContain('SerializationException');
    expect((await client.send(new GetPublicKeyCommand({ KeyId: arn }))).KeySpec).toBe('ECC_NIST_P256');
  });
});
