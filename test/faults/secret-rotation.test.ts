import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { secretCredentials } from '../../functions/shared/credentials.ts';
import { createDatabase } from '../../functions/shared/database.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { sessionsGone, waitForRow } from '../support/what-is-left.ts';

let aws: LocalAws;
let source: BackupSource;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 100_000);
});

afterEach(() => source.restorePrograms());

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

function readsOf(secretArn: string): number {
  return aws.secrets.requests().filter(({ secretId }) => secretId === secretArn).length;
}

describe('a rotated secret', () => {
  test('rotated between two uses of a warm sandbox: one re-read, then the session opens', async () => {
    const credentials = secretCredentials(source.secretArn);
    const database = open(credentials);
    await database.withSession(async (session) => await session.query('select 1'));
    await database.close();
    await source.rotate({ secret: true });
    const before = readsOf(source.secretArn);

    const again = open(credentials);
    const { rows } = await again.withSession(
      async (session) => await session.query<{ one: number }>('select 1 as one'),
    );
    await again.close();

    expect(rows).toEqual([{ one: 1 }]);
    expect(readsOf(source.secretArn) - before).toBe(1);
  });

  test('rotated during a backup, after its first session: pg_dump and pg_dumpall get the new password', async () => {
    // The holder's session waits for this lock on its first count while the password changes.
    const locker = await source.fresh.client();
    await locker.query('begin; lock table app.notes in access exclusive mode');
    const before = readsOf(source.secretArn);
    const backup = source.backUp();
    await waitForRow(
      source.fresh,
      "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/backup%' and wait_event_type = 'Lock'",
    );
    await source.rotate({ secret: true });
    await locker.query('commit');

    const result = await backup;

    expect(result).toMatchObject({ tables: 2, rows: 101_000, alreadyMade: false });
    expect(readsOf(source.secretArn) - before).toBeLessThanOrEqual(2);
  });

  test('the password changed but the secret did not: refused once more, then one clear failure', async () => {
    await source.rotate({ secret: false });
    const before = readsOf(source.secretArn);

    await expect(source.backUp()).rejects.toThrow(
      /refused the password of role "backup_.*also after the secret was read again.*Hint: .*bootstrap/s,
    );

    expect(readsOf(source.secretArn) - before).toBe(2);
    await source.rotate({ secret: true });
    await sessionsGone(source.fresh, 2_000);
  });

  test('the new secret has another user too (alternating users): the next session is that user', async () => {
    const other = `${source.role}_clone`;
    await source.fresh.query(`create role "${other}" login password 'changed-hands'`);
    const credentials = secretCredentials(source.secretArn);
    const database = open(credentials);
    await database.withSession(async (session) => await session.query('select 1'));
    await source.rotate({ secret: false });
    const { host, port, dbname } = source.fresh.credentials();
    const clone = { host, port, dbname, username: other, password: 'changed-hands' };
    aws.secrets.setSecret(source.secretArn, JSON.stringify(clone));

    await database.close();
    const { rows } = await open(credentials).withSession(
      async (session) => await session.query<{ who: string }>('select current_user as who'),
    );

    expect(rows).toEqual([{ who: other }]);
    await closeAll();
    await source.rotate({ secret: true });
    await source.fresh.query(`drop role "${other}"`);
  });
});

const opened: { close(): Promise<void> }[] = [];

function open(credentials: ReturnType<typeof secretCredentials>) {
  const database = createDatabase({
    job: 'backup',
    credentials,
    tls: source.fresh.tls,
    limits: { statementTimeoutMs: 5_000, lockTimeoutMs: 1_000, idleInTransactionTimeoutMs: 5_000 },
    maxConnections: 1,
    rowSecurity: 'off',
  });
  opened.push(database);
  return database;
}

async function closeAll(): Promise<void> {
  for (const database of opened.splice(0)) await database.close();
}
