// A KMS stand-in on loopback for tests: GetPublicKey and Sign of asymmetric keys over the real wire protocol (AWS JSON 1.1).
// The keys are real and live in memory only; a local night signs nothing, so it starts none.
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { parseParameters, readJson, sendJson, textField } from './aws-json.ts';
import { signEcdsaDigest, signPssDigest } from './kms/sign-digest.ts';

/** The types of key that it makes; ECC_NIST_P384 signs with nothing that a certificate takes. */
export const keySpecs = ['ECC_NIST_P256', 'ECC_NIST_P384', 'RSA_2048'] as const;
export type KeySpec = (typeof keySpecs)[number];

export interface KmsServer {
  readonly endpoint: string;
  /** Makes a key and returns its ARN. */
  createKey(spec: KeySpec): string;
  /** The public half as PEM, as somebody has noted it who made the key. */
  publicKeyPem(arn: string): string;
  /** What was asked so far, in order, refused ones too. */
  requests(): readonly KmsRequest[];
  stop(): Promise<void>;
}

export interface KmsRequest {
  readonly operation: string;
  readonly keyId: string;
}

export type KmsFault =
  | { status: number; code: string; times?: number }
  /** No answer: the connection breaks, or stays silent. */
  | 'drop'
  | 'silence'
  /** An answer of the right form with a signature of something else. */
  | 'wrong signature';

export interface KmsSettings {
  /** For tests: what comes instead of the answer, with `times` only for the first so many equal requests. */
  readonly fault?: (request: KmsRequest) => KmsFault | undefined;
}

interface Key {
  readonly spec: KeySpec;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

class KmsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const TARGET = 'TrentService.';
const ALGORITHMS: Readonly<Record<KeySpec, readonly string[]>> = {
  ECC_NIST_P256: ['ECDSA_SHA_256'],
  ECC_NIST_P384: ['ECDSA_SHA_384'],
  RSA_2048: ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PSS_SHA_256'],
};

const text = z.string().min(1);
// Strict: a parameter that is not known here would be ignored silently, and a test would prove nothing.
const schemas = {
  GetPublicKey: z.strictObject({ KeyId: text }),
  Sign: z.strictObject({
    KeyId: text,
    Message: z.base64(),
    MessageType: z.literal('DIGEST'),
    SigningAlgorithm: z.enum(['ECDSA_SHA_256', 'RSASSA_PSS_SHA_256']),
  }),
};

/** Starts the server on any free port. */
export async function startKmsServer(settings: KmsSettings = {}): Promise<KmsServer> {
  const keys = new Map<string, Key>();
  const requests: KmsRequest[] = [];
  const faultsGiven = new Map<string, number>();

  const faultOf = (request: KmsRequest): KmsFault | undefined => {
    const fault = settings.fault?.(request);
    if (typeof fault !== 'object') return fault;
    const name = JSON.stringify(request);
    const before = faultsGiven.get(name) ?? 0;
    faultsGiven.set(name, before + 1);
    return before < (fault.times ?? Number.POSITIVE_INFINITY) ? fault : undefined;
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = await readJson(incoming, (code, message) => new KmsError(code, message));
    const operation = String(incoming.headers['x-amz-target'] ?? '').replace(TARGET, '');
    const request = { operation, keyId: textField(body, 'KeyId') };
    requests.push(request);
    const fault = faultOf(request);
    if (fault === 'drop') incoming.socket.destroy();
    else if (fault === 'silence') return;
    else if (typeof fault === 'object') throw new KmsError(fault.code, `injected ${fault.code}`, fault.status);
    else sendJson(response, '1.1', 200, answer(keys, operation, body, incoming, fault === 'wrong signature'));
  };

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      const known = error instanceof KmsError ? error : new KmsError('KMSInternalException', String(error), 500);
      sendJson(response, '1.1', known.status, { __type: known.code, message: known.message });
    });
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed).listen(0, '127.0.0.1', listening);
  });
  const address = server.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    createKey(spec) {
      const arn = `arn:aws:kms:us-east-1:123456789012:key/${randomUUID()}`;
      keys.set(arn, { spec, ...makePair(spec) });
      return arn;
    },
    publicKeyPem: (arn) => find(keys, arn).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    requests: () => requests,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

function makePair(spec: KeySpec): Pick<Key, 'publicKey' | 'privateKey'> {
  if (spec === 'RSA_2048') return generateKeyPairSync('rsa', { modulusLength: 2_048 });
  return generateKeyPairSync('ec', { namedCurve: spec === 'ECC_NIST_P256' ? 'prime256v1' : 'secp384r1' });
}

function answer(
  keys: ReadonlyMap<string, Key>,
  operation: string,
  body: unknown,
  { headers }: IncomingMessage,
  isWrong: boolean,
): object {
  if (!headers.authorization?.startsWith('AWS4-HMAC-SHA256 '))
    throw new KmsError('MissingAuthenticationTokenException', 'the request is not signed');
  if (operation === 'GetPublicKey') return getPublicKey(keys, parse(schemas.GetPublicKey, body));
  if (operation === 'Sign') return sign(keys, parse(schemas.Sign, body), isWrong);
  throw new KmsError('UnknownOperationException', `"${operation}" is not done by the local KMS`);
}

function getPublicKey(keys: ReadonlyMap<string, Key>, { KeyId }: z.output<typeof schemas.GetPublicKey>): object {
  const { spec, publicKey } = find(keys, KeyId);
  return {
    KeyId,
    KeySpec: spec,
    KeyUsage: 'SIGN_VERIFY',
    PublicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    SigningAlgorithms: ALGORITHMS[spec],
  };
}

function sign(keys: ReadonlyMap<string, Key>, request: z.output<typeof schemas.Sign>, isWrong: boolean): object {
  const { KeyId, Message, SigningAlgorithm } = request;
  const { spec, privateKey } = find(keys, KeyId);
  if (!ALGORITHMS[spec].includes(SigningAlgorithm))
    throw new KmsError('InvalidKeyUsageException', `${KeyId} is of type ${spec}, which has no ${SigningAlgorithm}`);
  const digest = Buffer.from(Message, 'base64');
  if (digest.length !== 32)
    throw new KmsError('ValidationException', `a digest of SHA-256 has 32 bytes, not ${digest.length}`);
  if (isWrong) digest.reverse();
  const signature = spec === 'RSA_2048' ? signPssDigest(privateKey, digest) : signEcdsaDigest(privateKey, digest);
  return { KeyId, Signature: signature.toString('base64'), SigningAlgorithm };
}

function find(keys: ReadonlyMap<string, Key>, arn: string): Key {
  const key = keys.get(arn);
  if (key === undefined) throw new KmsError('NotFoundException', `Key '${arn}' does not exist`);
  return key;
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  return parseParameters(schema, body, (message) => new KmsError('ValidationException', message));
}
