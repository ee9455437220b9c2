// The plan of a change: what makes it GO, WAIT or NEEDS APPROVAL, and up refusing when what was planned has moved.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { liveReasons } from '../../functions/migrate/plan/live-reasons.ts';
import { compactInstant } from '../../functions/shared/clock.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { storeBackup } from '../support/stored-backup.ts';
import { useMigrateWorld } from './migrate-world.ts';
import { filesOfTest } from './migration-files-of-test.ts';

const FILES = {
  '0001_shop.up.sql':
    'create schema shop;\ncreate table shop.orders (id bigint primary key, note text);\ninsert into shop.orders select n from generate_series(1, 2000) n;',
  '0001_shop.down.sql': 'drop table shop.orders;\ndrop schema shop;',
  '0002_state.up.sql': "alter table shop.orders add column state text not null default 'new';",
  '0002_state.down.sql': 'alter table shop.orders drop column state;',
};
const first = { '0001_shop.up.sql': FILES['0001_shop.up.sql'], '0001_shop.down.sql': FILES['0001_shop.down.sql'] };

const world = useMigrateWorld({ wal_level: 'logical' });
let aws: LocalAws;
let store: ObjectStore;

beforeAll(async () => {
  aws = await startLocalAws();
  store = createObjectStore(BUCKET);
  await storeBackup(store, 'shop', compactInstant(new Date(Date.now() - 3_600_000)));
});

afterAll(async () => await aws.stop());

async function plan(
  files: Record<string, string> = FILES,
  more: { store?: ObjectStore | undefined; rehearse?: boolean } = {},
) {
  const { rehearse, ...options } = { store, ...more };
  const result = await world.cluster.migrate(
    world.dbname,
    { action: 'plan', ...(rehearse === undefined ? {} : { rehearse }) },
    { folder: filesOfTest(files), ...options },
  );
  if (result.action !== 'plan') throw new Error('no plan');
  return result;
}

describe('plan', () => {
  test('nothing speaks against it: GO, with files, seconds and a hash, and the live database is as before', async () => {
    await world.migrate('up', first);

    const result = await plan();

    expect(result).toMatchObject({
      verdict: 'GO',
      reasons: [],
      files: ['migrations/0002_state.up.sql'],
      findings: [],
      expectedSeconds: expect.any(Number),
      hash: expect.stringMatching(/^[0-9a-f]{16}(-[0-9a-f]{16}){2}$/),
      rehearsal: {
        files: [
          {
            outcome: 'rehearsed',
            statements: [{ locks: [{ mode: 'AccessExclusiveLock', table: '"shop"."orders"' }], rewritten: [] }],
          },
        ],
      },
    });
    expect(await world.migrate('status', FILES)).toMatchObject({ current: 1, pending: [{ number: 2 }] });
    const { rows } = await world.client.query(
      "select count(*)::int as n from pg_database where datname like 'nightshift%'",
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  test('nothing is pending: GO, and nothing is rehearsed', async () => {
    await world.migrate('up', first);

    expect(await plan(first)).toMatchObject({ verdict: 'GO', files: [], rehearsal: null });
  });

  test('a transaction is old: WAIT, and it is named with its age and the shape of its statement', async () => {
    await world.migrate('up', first);
    const old = await world.cluster.client(world.dbname);
    await old.query("begin; select 'a secret', count(*) from shop.orders");
    // Not by waiting for a minute: the limit is the parameter of the query, whose default is what the code says.
    const database = world.cluster.database('migrate', world.dbname, world.cluster.superuser);

    const reasons = await database.withSession(async (session) => {
      const impatient = {
        ...session,
        query: async <R extends object>(sql: string) => await session.query<R>(sql, [0]),
      };
      return await liveReasons(impatient);
    });

    expect(reasons).toEqual([
      {
        level: 'wait',
        about: 'transactions',
        problem: expect.stringMatching(
          /^\d+ transactions are open for 60 s or longer, the oldest by pid \d+ \("test", transaction open for \d+ s, idle in transaction, last statement: begin; select \$1, count\(\*\) from shop\.orders\)$/,
        ),
        hint: 'wait until they end, or end them',
      },
    ]);
    await database.close();
    await old.query('rollback');
    await old.end();
  });

  test('sessions wait for a lock, and a backup runs: WAIT for both', async () => {
    await world.migrate('up', first);
    const holder = await world.cluster.client(world.dbname);
    await holder.query('begin; lock table shop.orders');
    const waiter = await world.cluster.client(world.dbname);
    const waiting = waiter.query('select count(*) from shop.orders');
    const backup = world.cluster.database('backup', world.dbname, world.cluster.superuser);
    await backup.withSession(async (session) => {
      await session.query("select pg_advisory_lock_shared(hashtextextended('nightshift:schema', 0))");
      await expect
        .poll(async () => (await plan(FILES, { rehearse: false })).reasons, { timeout: 10_000 })
        .toEqual(
          expect.arrayContaining([
            expect.objectContaining({
              level: 'wait',
              about: 'locks',
              problem: expect.stringContaining('"nightshift/backup"'),
            }),
            expect.objectContaining({
              level: 'wait',
              about: 'locks',
              problem: '1 sessions wait for locks for a second or longer',
            }),
          ]),
        );
      expect(await plan(FILES, { rehearse: false })).toMatchObject({ verdict: 'WAIT', hash: null });
      await session.query('select pg_advisory_unlock_all()');
    });
    await holder.query('rollback');
    await waiting;
    await backup.close();
    await holder.end();
    await waiter.end();
  });

  test('no verified backup is young enough, or nobody can look: NEEDS APPROVAL', async () => {
    await world.migrate('up', first);

    const unknown = await plan(FILES, { store: undefined });
    expect(unknown).toMatchObject({
      verdict: 'NEEDS APPROVAL',
      reasons: [{ level: 'approve', about: 'backup', problem: expect.stringContaining('no bucket was named') }],
    });
    aws.setFault(({ operation }) => (operation.startsWith('List') ? { status: 403, code: 'AccessDenied' } : undefined));
    const refused = await plan();
    aws.setFault(undefined);
    expect(refused).toMatchObject({
      verdict: 'NEEDS APPROVAL',
      reasons: [{ about: 'backup', problem: expect.stringContaining('could not be looked at') }],
    });
  });

  test('lint, a loss and a long lock: each is a reason, and not rehearsed is one, too', async () => {
    const files = {
      ...first,
      '0002_state.up.sql': 'alter table shop.orders drop column note;',
      '0002_state.down.sql': '-- nightshift: irreversible because the notes are gone\n',
    };
    await world.migrate('up', first);

    const result = await plan(files, { rehearse: false });

    expect(result.verdict).toBe('NEEDS APPROVAL');
    expect(result.reasons).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          about: 'lint',
          problem: expect.stringContaining('0002_state.up.sql:1: ban-drop-column'),
        }),
        expect.objectContaining({
          about: 'loss',
          problem: '"migrations/0002_state.up.sql" cannot be reverted: the notes are gone',
        }),
        expect.objectContaining({ about: 'duration', problem: expect.stringContaining('not rehearsed') }),
      ]),
    );
  });

  test('a file that fails on the copy: NEEDS APPROVAL with the place', async () => {
    await world.migrate('up', first);
    const files = { ...FILES, '0002_state.up.sql': 'alter table shop.orders add column state text;\nselect 1 / 0;' };

    expect(await plan(files)).toMatchObject({
      verdict: 'NEEDS APPROVAL',
      expectedSeconds: null,
      reasons: expect.arrayContaining([
        expect.objectContaining({
          about: 'rehearsal',
          problem: expect.stringMatching(/0002_state\.up\.sql.*division by zero/),
        }),
      ]),
    });
  });

  test('a logical slot reads the database: NEEDS APPROVAL', async () => {
    await world.migrate('up', first);
    const { rows } = await world.client.query<{ wal_level: string }>('show wal_level');
    expect(rows[0]?.wal_level).toBe('logical');
    await world.client.query("select pg_create_logical_replication_slot('blue_green', 'test_decoding')");

    const { reasons } = await plan();
    await world.client.query("select pg_drop_replication_slot('blue_green')");

    expect(reasons).toEqual([
      expect.objectContaining({
        level: 'approve',
        about: 'logical replication',
        problem: expect.stringContaining('blue_green'),
      }),
    ]);
  });
});

describe('up that is bound to a plan', () => {
  const up = async (hash: string, files: Record<string, string> = FILES) =>
    await world.cluster.migrate(world.dbname, { action: 'up', plan: hash }, { folder: filesOfTest(files) });

  test('nothing has moved: it runs', async () => {
    await world.migrate('up', first);
    const hash = (await plan(FILES, { rehearse: false })).hash ?? '';

    await expect(up(hash)).resolves.toMatchObject({ status: 'done', current: 2 });
  });

  test('the run is left and goes on with the same event: it is the same run, until a file is new', async () => {
    const files = {
      ...FILES,
      '0003_index.up.sql': 'create index concurrently orders_note on shop.orders (note);',
      '0003_index.down.sql': 'drop index concurrently shop.orders_note;',
    };
    await world.migrate('up', first);
    const hash = (await plan(files, { rehearse: false })).hash ?? '';
    const left = new AbortController();
    left.abort();
    const event = { action: 'up', plan: hash } as const;

    // A pass that has no time begins one unit and leaves the rest.
    await expect(
      world.cluster.migrate(world.dbname, event, { folder: filesOfTest(files), pause: left.signal }),
    ).resolves.toMatchObject({ status: 'running', current: 2 });

    const more = { ...files, '0004_more.up.sql': 'select 1;', '0004_more.down.sql': 'select 1;' };
    await expect(up(hash, more)).rejects.toMatchObject({
      code: 'migrate.plan_moved',
      problem: `since the plan ${hash} these have changed: the files`,
    });
    await expect(up(hash, files)).resolves.toMatchObject({ status: 'done', current: 3 });
  });

  test.each([
    [
      'a file was edited',
      'the files',
      async () => ({ ...FILES, '0002_state.up.sql': FILES['0002_state.up.sql'].replace('new', 'old') }),
    ],
    [
      'somebody has changed the schema by hand',
      'the live schema',
      async () => {
        await world.client.query('alter table shop.orders add column by_hand int');
        return FILES;
      },
    ],
    [
      'another run has applied it',
      'what is applied, the live schema',
      async () => {
        await world.migrate('up', FILES);
        return FILES;
      },
    ],
  ])('%s: refused, and what has moved is named', async (_, moved, change) => {
    await world.migrate('up', first);
    const hash = (await plan(FILES, { rehearse: false })).hash ?? '';
    const files = await change();

    await expect(up(hash, files)).rejects.toMatchObject({
      code: 'migrate.plan_moved',
      problem: `since the plan ${hash} these have changed: ${moved}`,
      safeState: 'No migration was run',
    });
  });
});
