import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Credentials } from '../../functions/shared/credentials.ts';
import { createDatabase, type DatabaseTls } from '../../functions/shared/database.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { createServerCertificate } from '../../local/postgres/certificate-authority.ts';
import { createFreshDatabase, type FreshDatabase, fixedCredentials } from '../support/fresh-database.ts';

/** A person expects an answer within this time. */
const WITHIN_MS = 10_000;

let fresh: FreshDatabase;
let folder: string;

beforeAll(async () => {
  fresh = await createFreshDatabase();
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-tls-'));
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await fresh.drop();
});

async function connectFailure(change: Partial<Credentials>, tls: DatabaseTls = fresh.tls): Promise<JobFailure> {
  const database = createDatabase({
    job: 'health',
    credentials: fixedCredentials({ ...fresh.credentials(), ...change }),
    tls,
    limits: { statementTimeoutMs: 5_000, lockTimeoutMs: 1_000, idleInTransactionTimeoutMs: 5_000 },
    maxConnections: 1,
    rowSecurity: 'off',
  });
  const from = performance.now();
  try {
    await database.withSession(async (session) => await session.query('select 1'));
  } catch (error) {
    expect(performance.now() - from).toBeLessThan(WITHIN_MS);
    if (error instanceof JobFailure) return error;
    throw error;
  } finally {
    await database.close();
  }
  throw new Error('it connected');
}

describe('createDatabase', () => {
  test('nothing listens on the port: unreachable, with host and port', async () => {
    const failure = await connectFailure({ port: 1 });

    expect(failure.code).toBe('database.unreachable');
    expect(failure.message).toMatch(/server "localhost:1" could not be reached: .*ECONNREFUSED/);
  });

  test('the host has no address: unreachable', async () => {
    expect((await connectFailure({ host: 'no-such-host.invalid' })).code).toBe('database.unreachable');
  });

  test('something accepts the connection and never answers: unreachable within 10 s', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();

    const failure = await connectFailure({ port: typeof address === 'object' ? (address?.port ?? 0) : 0 });
    silent.close();

    expect(failure.code).toBe('database.unreachable');
    expect(failure.message).toMatch(/timeout/i);
  }, 15_000);

  test('the password is wrong: refused, with the role and without the password', async () => {
    const failure = await connectFailure({ password: new SecretText('wrong-horse') });

    expect(failure.code).toBe('database.login_refused');
    expect(failure.message).toMatch(/refused the password of role "postgres"/);
    expect(`${failure.message} ${JSON.stringify(failure)}`).not.toContain('wrong-horse');
  });

  test('the database does not exist: named', async () => {
    const failure = await connectFailure({ dbname: 'no_such_database' });

    expect(failure.code).toBe('database.not_found');
    expect(failure.message).toMatch(/database "no_such_database" does not exist on server "localhost:\d+"/);
  });

  test('the server certificate is signed by another authority: TLS refused', async () => {
    const caFile = join(folder, 'other-ca.pem');
    writeFileSync(caFile, (await createServerCertificate()).authority);

    const failure = await connectFailure({}, { mode: 'verify-full', caFile });

    expect(failure.code).toBe('database.tls_refused');
    expect(failure.hint).toContain('DATABASE_CA_FILE');
  });

  test('the certificate names another host: TLS refused', async () => {
    const { port } = fresh.credentials();
    // 127.0.0.2 is loopback too, but not a name in the certificate.
    const elsewhere = createServer((socket) => {
      socket.pipe(connect(port, '127.0.0.1')).pipe(socket);
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.2', resolve));
    const address = elsewhere.address();

    const failure = await connectFailure({
      host: '127.0.0.2',
      port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    });
    elsewhere.close();

    expect(failure.code).toBe('database.tls_refused');
    expect(failure.message).toMatch(/127\.0\.0\.2/);
  });

  test('the server takes TLS only and TLS is off: refused, with what the server says', async () => {
    const failure = await connectFailure({}, { mode: 'disable', caFile: '' });

    expect(failure.code).toBe('database.login_refused');
    expect(failure.message).toMatch(/no encryption/);
  });

  test('the file of the authorities is missing: a clear failure, not a connection without proof', async () => {
    await expect(connectFailure({}, { mode: 'verify-full', caFile: join(folder, 'missing.pem') })).rejects.toThrow(
      /missing\.pem/,
    );
  });

  test('TLS is encrypted but not proven by the UNSAFE_ setting: connects', async () => {
    await expect(connectFailure({}, { mode: 'no-verify', caFile: '' })).rejects.toThrow('it connected');
  });

  test('the role has no connection left: says so', async () => {
    await fresh.query("create role one_connection_only login connection limit 0 password 'x'");

    const failure = await connectFailure({ username: 'one_connection_only', password: new SecretText('x') });
    await fresh.query('drop role one_connection_only');

    expect(failure.code).toBe('database.too_many_connections');
  });
});
