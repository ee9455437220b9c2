// An asymmetric key of KMS that signs: the only file that imports the KMS client. The private key never leaves KMS.
import { GetPublicKeyCommand, KMSClient, SignCommand, type SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import { describeError } from './job-failure.ts';

/** Both over a SHA-256 digest; which one, the type of the key says. */
export const signingAlgorithms = ['ECDSA_SHA_256', 'RSASSA_PSS_SHA_256'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

export interface PublicKey {
  readonly keyArn: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicKeyPem: string;
}

export interface SigningKey {
  /** The public half, from GetPublicKey. Throws SigningKeyError. */
  readPublicKey(): Promise<PublicKey>;
  /** Signs a SHA-256 digest of 32 bytes as it is. Throws SigningKeyError; asking again is harmless. */
  sign(digest: Buffer, algorithm: SigningAlgorithm): Promise<Buffer>;
  close(): void;
}

/** Why KMS did not do it, in one line. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
}

const ANSWER_TIMEOUT_MS = 4_000;

/**
 * The key with that ARN; region, endpoint and credentials come from the standard AWS variables.
 *
 * Each request gives up after 3 tries of 4 s: a VPC without a way to KMS does not refuse, it is silent.
 */
export function openSigningKey(
  keyArn: string,
  { answerTimeoutMs = ANSWER_TIMEOUT_MS, signal }: { answerTimeoutMs?: number; signal?: AbortSignal } = {},
): SigningKey {
  const client = new KMSClient({
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: answerTimeoutMs,
      requestTimeout: answerTimeoutMs,
      throwOnRequestTimeout: true,
    },
  });
  const options = signal ? { abortSignal: signal } : {};

  async function ask<T>(what: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
      throw new SigningKeyError(`KMS did not ${what} with key "${keyArn}": ${name}${describeError(error)}`, {
        cause: error,
      });
    }
  }

  return {
    readPublicKey: async () => {
      const answer = await ask(
        'give the public key',
        async () => await client.send(new GetPublicKeyCommand({ KeyId: keyArn }), options),
      );
      const { KeyId, KeySpec, PublicKey: der, SigningAlgorithms: offered = [] } = answer;
      const algorithm = signingAlgorithms.find((one) => offered.some((spec: SigningAlgorithmSpec) => spec === one));
      if (algorithm === undefined || der === undefined) {
        throw new SigningKeyError(
          `key "${keyArn}" is of type ${KeySpec ?? 'unknown'}, which signs with ${offered.join(', ') || 'nothing'}; it must sign with ${signingAlgorithms.join(' or ')}`,
        );
      }
      return { keyArn: KeyId ?? keyArn, algorithm, publicKeyPem: pemOf(der) };
    },
    sign: async (digest, algorithm) => {
      const request = new SignCommand({
        KeyId: keyArn,
        Message: digest,
        MessageType: 'DIGEST',
        SigningAlgorithm: algorithm,
      });
      const { Signature } = await ask('sign', async () => await client.send(request, options));
      if (Signature === undefined) throw new SigningKeyError(`KMS answered without a signature of key "${keyArn}"`);
      return Buffer.from(Signature);
    },
    close: () => client.destroy(),
  };
}

/** The DER of a SubjectPublicKeyInfo (RFC 5280) as a PEM file. */
function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n');
}
