// A Secrets Manager stand-in on loopback for runs without AWS and for tests: GetSecretValue, PutSecretValue and
// DescribeSecret over the real wire protocol, with AWSCURRENT and AWSPREVIOUS. Values live in memory only; they must
// never reach a log, an error text or the list of requests.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { systemClock } from '../functions/shared/clock.ts';
import { parseParameters, readJson, sendJson, textField } from './aws-json.ts';

export interface SecretsServer {
  readonly endpoint: string;
  /** Writes a new version as a rotation does: the one before keeps AWSPREVIOUS. Makes the secret when it is new. */
  setSecret(arn: string, value: string): void;
  /** What was asked so far, in order, without any value. */
  requests(): readonly SecretRequest[];
  stop(): Promise<void>;
}

export interface SecretRequest {
  readonly operation: string;
  readonly secretId: string;
}

export interface SecretsSettings {
  /** The text of each secret by its ARN. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Any free one by default. */
  readonly port?: number;
  /** For tests: an error instead of the operation (with `times` only for the first so many equal requests), or no answer. */
  readonly fault?: (request: SecretRequest) => { status: number; code: string; times?: number } | 'drop' | undefined;
}

interface SecretVersion {
  readonly id: string;
  readonly value: string;
  readonly created: number;
  stages: readonly string[];
}

class SecretError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const current = 'AWSCURRENT';
const previous = 'AWSPREVIOUS';
const text = z.string().min(1);
// Strict: a parameter that is not known here would be ignored silently, and a test would prove nothing.
const schemas = {
  GetSecretValue: z.strictObject({ SecretId: text, VersionId: text.optional(), VersionStage: text.optional() }),
  PutSecretValue: z.strictObject({
    SecretId: text,
    SecretString: text,
    ClientRequestToken: text.optional(),
    VersionStages: z.array(text).min(1).optional(),
  }),
  DescribeSecret: z.strictObject({ SecretId: text }),
};

/** Starts the server; throws when the port is taken. */
export async function startSecretsServer(settings: SecretsSettings): Promise<SecretsServer> {
  const secrets = new Map<string, SecretVersion[]>();
  const requests: SecretRequest[] = [];
  const faultsGiven = new Map<string, number>();
  for (const [arn, value] of Object.entries(settings.secrets)) secrets.set(arn, [newVersion(value, [current])]);

  const faultOf = (request: SecretRequest) => {
    const fault = settings.fault?.(request);
    if (fault === undefined || fault === 'drop') return fault;
    const name = JSON.stringify(request);
    const before = faultsGiven.get(name) ?? 0;
    faultsGiven.set(name, before + 1);
    return before < (fault.times ?? Number.POSITIVE_INFINITY) ? fault : undefined;
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = await readJson(incoming, (code, message) => new SecretError(code, message));
    const operation = String(incoming.headers['x-amz-target'] ?? '').replace(/^secretsmanager\./, '');
    const request = { operation, secretId: textField(body, 'SecretId') };
    requests.push(request);
    const fault = faultOf(request);
    if (fault === 'drop') incoming.socket.destroy();
    else if (fault !== undefined) throw new SecretError(fault.code, `injected ${fault.code}`, fault.status);
    else sendJson(response, '1.1', 200, answer(secrets, operation, body, incoming.headers.authorization ?? ''));
  };

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      // Never the message of another error: a parser's message may quote the secret.
      const known =
        error instanceof SecretError ? error : new SecretError('InternalServiceError', 'not a refusal', 500);
      sendJson(response, '1.1', known.status, { __type: known.code, Message: known.message });
    });
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed).listen(settings.port ?? 0, '127.0.0.1', listening);
  });
  const address = server.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    setSecret(arn, value) {
      const versions = secrets.get(arn) ?? [];
      secrets.set(arn, versions);
      addVersion(versions, newVersion(value, []), [current]);
    },
    requests: () => requests,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  secrets: Map<string, SecretVersion[]>,
  operation: string,
  body: unknown,
  authorization: string,
): object {
  if (!authorization.startsWith('AWS4-HMAC-SHA256 '))
    throw new SecretError('AccessDeniedException', 'the request is not signed');
  if (operation === 'GetSecretValue') return getValue(secrets, parse(schemas.GetSecretValue, body));
  if (operation === 'PutSecretValue') return putValue(secrets, parse(schemas.PutSecretValue, body));
  if (operation === 'DescribeSecret') return describe(secrets, parse(schemas.DescribeSecret, body));
  throw new SecretError('UnknownOperationException', `"${operation}" is not done by the local Secrets Manager`);
}

function getValue(secrets: Map<string, SecretVersion[]>, request: z.output<typeof schemas.GetSecretValue>): object {
  const { arn, versions } = find(secrets, request.SecretId);
  const stage = request.VersionStage ?? (request.VersionId === undefined ? current : undefined);
  const found = versions.find(
    (version) =>
      (request.VersionId === undefined || version.id === request.VersionId) &&
      (stage === undefined || version.stages.includes(stage)),
  );
  if (found === undefined) throw notFound(`secret value for staging label: ${stage ?? ''}`);
  return {
    ...names(arn),
    VersionId: found.id,
    SecretString: found.value,
    VersionStages: found.stages,
    CreatedDate: found.created,
  };
}

function putValue(secrets: Map<string, SecretVersion[]>, request: z.output<typeof schemas.PutSecretValue>): object {
  const { arn, versions } = find(secrets, request.SecretId);
  const stages = request.VersionStages ?? [current];
  const same = versions.find((version) => version.id === request.ClientRequestToken);
  if (same !== undefined && same.value !== request.SecretString) {
    throw new SecretError('ResourceExistsException', 'a version with this token and another value exists');
  }
  // The same token and value again is a retry of the SDK, not a rotation.
  const version = same ?? newVersion(request.SecretString, [], request.ClientRequestToken);
  if (same === undefined) addVersion(versions, version, stages);
  return { ...names(arn), VersionId: version.id, VersionStages: version.stages };
}

function describe(secrets: Map<string, SecretVersion[]>, request: z.output<typeof schemas.DescribeSecret>): object {
  const { arn, versions } = find(secrets, request.SecretId);
  const staged = versions.filter((version) => version.stages.length > 0);
  return {
    ...names(arn),
    LastChangedDate: versions.at(-1)?.created,
    VersionIdsToStages: Object.fromEntries(staged.map((version) => [version.id, version.stages])),
  };
}

/** Each stage names one version: it leaves the one that had it, and AWSCURRENT leaves AWSPREVIOUS behind. */
function addVersion(versions: SecretVersion[], added: SecretVersion, stages: readonly string[]): void {
  const wasCurrent = stages.includes(current)
    ? versions.find((version) => version.stages.includes(current))
    : undefined;
  const taken = wasCurrent === undefined ? stages : [...stages, previous];
  for (const version of versions) version.stages = version.stages.filter((stage) => !taken.includes(stage));
  if (wasCurrent !== undefined) wasCurrent.stages = [...wasCurrent.stages, previous];
  added.stages = stages;
  versions.push(added);
}

function newVersion(value: string, stages: readonly string[], id: string = randomUUID()): SecretVersion {
  return { id, value, created: systemClock.now().getTime() / 1000, stages };
}

function find(secrets: Map<string, SecretVersion[]>, secretId: string): { arn: string; versions: SecretVersion[] } {
  for (const [arn, versions] of secrets) if (arn === secretId || names(arn).Name === secretId) return { arn, versions };
  throw notFound('specified secret.');
}

function names(arn: string): { ARN: string; Name: string } {
  // The name and six characters that Secrets Manager hangs on.
  return {
    ARN: arn,
    Name: arn
      .split(':')
      .slice(6)
      .join(':')
      .replace(/-[A-Za-z0-9]{6}$/, ''),
  };
}

function notFound(what: string) {
  return new SecretError('ResourceNotFoundException', `Secrets Manager can't find the ${what}`);
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  return parseParameters(schema, body, (message) => new SecretError('InvalidParameterException', message));
}
