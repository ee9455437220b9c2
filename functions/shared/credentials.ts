// Database credentials from Secrets Manager: the RDS JSON form, cached for the life of the sandbox, read again on demand.
// The only file that imports the Secrets Manager client.
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { describeError, JobFailure } from './job-failure.ts';
import { SecretText } from './secret-text.ts';

export interface Credentials {
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
  readonly username: string;
  readonly password: SecretText;
}

export interface CredentialSource {
  /** The cached credentials, read on the first call. */
  read(): Promise<Credentials>;
  /** Reads the secret again, as after a rotation. */
  refresh(): Promise<Credentials>;
}

const blankIsMissing = z.string().trim().min(1, 'must not be blank');

/** The JSON that RDS writes into a secret; further keys (engine, dbInstanceIdentifier …) are RDS's own and ignored. */
const secretSchema = z.object({
  host: blankIsMissing,
  port: z.coerce.number().int().min(1).max(65_535),
  dbname: blankIsMissing,
  username: blankIsMissing,
  password: z.string().min(1, 'must not be blank'),
});

/** The master secret that RDS manages itself has only these two; host and database come from the settings then. */
const loginSchema = secretSchema.pick({ username: true, password: true });

let client: SecretsManagerClient | undefined;

/** Credentials kept in one secret. */
export function secretCredentials(secretArn: string): CredentialSource {
  return cachedSource(async () => {
    const secret = await readSecretJson(secretArn, secretSchema);
    return { ...secret, password: new SecretText(secret.password) };
  });
}

/** Credentials of a secret that holds only a login (RDS-managed master secret), completed with where the database is. */
export function loginCredentials(
  secretArn: string,
  place: Pick<Credentials, 'host' | 'port' | 'dbname'>,
): CredentialSource {
  return cachedSource(async () => {
    const secret = await readSecretJson(secretArn, loginSchema);
    return { ...place, username: secret.username, password: new SecretText(secret.password) };
  });
}

function cachedSource(load: () => Promise<Credentials>): CredentialSource {
  let cached: Promise<Credentials> | undefined;
  const refresh = async () => {
    const loading = load();
    cached = loading;
    try {
      return await loading;
    } catch (error) {
      // A failed read must not stay cached: the next call tries again.
      cached = undefined;
      throw error;
    }
  };
  return { refresh, read: async () => await (cached ?? refresh()) };
}

async function readSecretJson<S extends z.ZodType>(secretArn: string, schema: S): Promise<z.output<S>> {
  const notRead = 'No connection to the database was tried';
  let textValue: string | undefined;
  try {
    // Without limits a VPC that does not reach Secrets Manager would hold the function until its own time limit.
    client ??= new SecretsManagerClient({
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 3_000, socketTimeout: 3_000 },
    });
    textValue = (await client.send(new GetSecretValueCommand({ SecretId: secretArn }))).SecretString;
  } catch (error) {
    throw new JobFailure({
      code: 'secret.unreadable',
      problem: `secret "${secretArn}" could not be read: ${error instanceof Error ? `${error.name}: ` : ''}${describeError(error)}`,
      safeState: notRead,
      hint: 'check that the secret exists, that the role may call secretsmanager:GetSecretValue and kms:Decrypt on it, and that the VPC reaches Secrets Manager',
      cause: error,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(textValue ?? '');
  } catch {
    // The parser's message quotes the text, which is the secret itself.
    json = undefined;
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems =
    json === undefined ? ['it is not JSON'] : parsed.error.issues.map((issue) => describeField(issue, json));
  throw new JobFailure({
    code: 'secret.wrong',
    problem: `secret "${secretArn}" is not in the RDS JSON form: ${problems.join('; ')}`,
    safeState: notRead,
    hint: 'it must hold host, port, dbname, username and password; bootstrap writes it so',
  });
}

function describeField(issue: z.core.$ZodIssue, json: unknown): string {
  const present = typeof json === 'object' && json !== null && Reflect.get(json, issue.path[0] ?? '') !== undefined;
  return `"${issue.path.join('.')}" ${present ? 'has a value that is not allowed' : 'is missing'}`;
}
