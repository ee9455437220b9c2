import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holderNameOf } from '../../functions/backup/snapshot/holder-sessions.ts';
import { importSnapshot, lockTable } from '../../functions/backup/snapshot/import-snapshot.ts';
import { createSnapshotWorld, nextBackupId, ROWS, type SnapshotWorld } from '../support/held-snapshot.ts';
import { type HeldTable, never } from '../support/open-and-lock.ts';

let world: SnapshotWorld;
let table: HeldTable;

beforeAll(async () => {
  world = await createSnapshotWorld(2);
  table = (await world.tables()).find(({ name }) => name === 't1') ?? { oid: 0, schema: '', name: '' };
});
afterAll(async () => {
  await world.drop();
});

describe('importSnapshot', () => {
  test('a writer changes rows after the snapshot: every worker sees the rows and the snapshot of the plan', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    await world.fresh.query("insert into app.t2 values (0, 'late'); delete from app.t2 where id < 10");

    const seen = await world.control.withSession(async (session) => {
      await importSnapshot(session, { backupId, expected: holder.expected, signal: never });
      const { rows } = await session.query(
        "select pg_current_snapshot()::text as snapshot, current_setting('application_name') as name, current_setting('extra_float_digits') as digits, count(*)::int as rows from app.t2",
      );
      await session.query('commit');
      return rows;
    });

    expect(seen).toEqual([
      { snapshot: holder.expected.snapshot, name: `nightshift/backup ${backupId}`, digits: '3', rows: ROWS },
    ]);
    await world.end(backupId);
    await holder.dropClient();
  });

  test('nobody holds the snapshot: it fails within seconds and names what it has looked for', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    await world.end(backupId);

    const failure = await world.work(backupId, holder.expected, ['t1']).catch((error: unknown) => error);

    expect(failure).toMatchObject({
      code: 'backup.snapshot_lost',
      problem: `snapshot ${holder.expected.snapshot} of backup ${backupId} on server ${holder.expected.address} could not be imported in 5 looks: no session of this role holds it`,
    });
    await holder.dropClient();
  });

  test('a session only calls itself the holder: its snapshot cannot be imported and nothing else is read', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(nextBackupId());
    const pretender = await world.fresh.client(world.login);
    const name = holderNameOf(backupId, '00000003-00000001-1');
    await pretender.query('begin');
    await pretender.query("select set_config('application_name', $1, true)", [name]);

    const failure = await world.work(backupId, holder.expected, ['t1']).catch((error: unknown) => error);

    expect(failure).toMatchObject({
      code: 'backup.snapshot_lost',
      problem: expect.stringMatching(/has let snapshot 00000003-00000001-1 go: /),
    });
    await pretender.end();
    await world.end(holder.backupId);
    await holder.dropClient();
  });

  test.each([
    ['snapshot', '1:1:'],
    ['startedAt', '2001-01-01 00:00:00+00'],
    ['address', '10.0.0.7:5432'],
    ['serverId', '7'],
  ] as const)('%s is not that of the plan: the worker refuses and names both', async (name, planned) => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);

    const failure = await world
      .work(backupId, { ...holder.expected, [name]: planned }, ['t1'])
      .catch((error: unknown) => error);

    expect(failure).toMatchObject({
      code: 'backup.snapshot_lost',
      problem: `the session sees another state than backup ${backupId} was planned on: ${name} "${holder.expected[name]}", not "${planned}"`,
    });
    await world.end(backupId);
    await holder.dropClient();
  });

  test('another database of the server has a backup of the same id by the same role: its holder is neither used nor ended', async () => {
    const other = await createSnapshotWorld(1, world.login);
    const backupId = nextBackupId();
    const [here, there] = [await world.hold(backupId), await other.hold(backupId)];

    expect(await world.work(backupId, here.expected, ['t1'])).toEqual([ROWS]);
    await world.end(backupId);

    expect([await world.isAlive(backupId), await other.isAlive(backupId)]).toEqual([false, true]);
    expect(await other.work(backupId, there.expected, ['t1'])).toEqual([ROWS]);
    await other.end(backupId);
    await here.dropClient();
    await there.dropClient();
    await other.drop();
  });

  test('a name that the server would cut is refused', () => {
    expect(() => holderNameOf('20260101T000000Z-2', '00000003-0000001B-1')).not.toThrow();
    expect(() => holderNameOf('20260101T000000Z-1234567890', '00000003-0000001B-1')).toThrow(/longer than 63 bytes/);
  });
});

describe('lockTable', () => {
  /** A worker on the snapshot whose holder is gone, so that somebody can change the table before the worker's lock. */
  async function afterHolderIsGone(change: string): Promise<unknown> {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    const failure = await world.control
      .withSession(async (session) => {
        await importSnapshot(session, { backupId, expected: holder.expected, signal: never });
        await world.end(backupId);
        await world.fresh.query(change);
        await lockTable(session, table);
      })
      .catch((error: unknown) => error);
    await holder.dropClient();
    await world.fresh.query('drop table if exists app.t1_old');
    await world.recreate('t1');
    table = (await world.tables()).find(({ name }) => name === 't1') ?? table;
    return failure;
  }

  test.each([
    'truncate app.t1',
    'vacuum full app.t1',
    'alter table app.t1 alter column id type bigint',
    'drop table app.t1',
    'alter table app.t1 rename to t1_old; create table app.t1 (id int, body text)',
  ])('the holder is gone and then %s: a failure by name, never 0 rows', async (change) => {
    const failure = await afterHolderIsGone(change);

    expect(failure).toMatchObject({ code: 'backup.table_rewritten', problem: expect.stringContaining('t1') });
  });

  test('the lock cannot be had in time: the failure names the table', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    const queued = await world.queue('truncate app.t1');

    const failure = await world.control
      .withSession(async (session) => {
        await importSnapshot(session, { backupId, expected: holder.expected, signal: never });
        await session.query("set local lock_timeout = '100ms'");
        await lockTable(session, table);
      })
      .catch((error: unknown) => error);

    expect(failure).toMatchObject({
      code: 'backup.table_locked',
      problem: expect.stringContaining('table "app"."t1" could not be locked'),
    });
    await world.end(backupId);
    await queued.ended;
    await holder.dropClient();
    await world.recreate('t1');
  });
});
