// Which partitions drop_partition takes and which it leaves, on a real server as the real role of purge.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countPartition } from '../../functions/purge/partitions/read-partitions.ts';
import { createPartitionWorld, type PartitionWorld } from './partition-world.ts';

let world: PartitionWorld;
beforeAll(async () => {
  world = await createPartitionWorld();
});
beforeEach(async () => await world.reset());
afterAll(async () => await world.cluster.stop());

describe('dropPartitions chooses', () => {
  test('two partitions are past retention: they go with their rows counted, the others stay, the session is as before', async () => {
    const { partitions, pause, warnings, lines, left } = await world.drop();

    expect(partitions).toEqual([
      {
        table: 'app.p2023',
        bounds: "FOR VALUES FROM ('2023-01-01 00:00:00+00') TO ('2024-01-01 00:00:00+00')",
        bytes: expect.any(Number),
        rows: 100,
        state: 'dropped',
        reason: null,
      },
      expect.objectContaining({ table: 'app.p2024', rows: 100, state: 'dropped' }),
    ]);
    expect(partitions[0]?.bytes).toBeGreaterThan(8_000);
    expect({ pause, warnings }).toEqual({ pause: undefined, warnings: [] });
    expect(await world.tables()).toEqual(['p2025', 'p2026']);
    expect(await world.records()).toEqual(['p2023 dropped 100', 'p2024 dropped 100']);
    expect(lines.map(({ event }) => event)).toEqual([
      'purge.partition_detached',
      'purge.partition_dropped',
      'purge.partition_detached',
      'purge.partition_dropped',
    ]);
    expect(left).toEqual({ lock: '2s', locks: 0 });
  });

  test('it runs twice: the second run finds nothing to do', async () => {
    await world.drop();

    expect(await world.drop()).toMatchObject({ partitions: [], warnings: [] });
    expect(await world.records()).toHaveLength(2);
  });

  test('a dry run: the same partitions with their rows, nothing is written or changed', async () => {
    await world.hold('p2023', null);

    const { partitions } = await world.drop({ dryRun: true });

    expect(partitions).toMatchObject([
      {
        table: 'app.p2023',
        rows: 100,
        state: 'kept',
        reason: expect.stringMatching(/legal hold \d+ is on the whole table app\.p2023/),
      },
      { table: 'app.p2024', rows: 100, state: 'planned', reason: null },
    ]);
    expect(await world.tables()).toHaveLength(4);
    expect(await world.records()).toEqual([]);
  });

  test('keep_partitions is 3: only the oldest of four goes', async () => {
    expect((await world.drop({ keep: 3 })).partitions).toHaveLength(1);
    expect(await world.tables()).toEqual(['p2024', 'p2025', 'p2026']);
  });

  test('the cutoff is the upper bound: that partition goes; a microsecond before: it stays', async () => {
    const before = await world.drop({ cutoff: '2023-12-31 23:59:59.999999+00' });
    const at = await world.drop({ cutoff: '2024-01-01 02:00:00+02' });

    expect(before.partitions).toEqual([]);
    expect(at.partitions).toMatchObject([{ table: 'app.p2023', state: 'dropped' }]);
  });

  test.each(['timestamp', 'date'])('the key is a %s: its bounds are read in UTC', async (type) => {
    await world.reset({ type });
    await world.admin.query(`alter role nightshift_purge set timezone = 'Pacific/Auckland'`);

    const before = await world.drop({ cutoff: '2023-12-31 23:59:59+00' });
    const at = await world.drop({ cutoff: '2024-01-01 00:00:00+00' });

    expect(before.partitions).toEqual([]);
    expect(at.partitions).toMatchObject([{ table: 'app.p2023', rows: 100, state: 'dropped' }]);
    await world.admin.query('alter role nightshift_purge reset timezone');
  });

  test('dates beyond those of a timestamp, and infinity, are bounds: the old ones go', async () => {
    await world.reset({ type: 'date' });
    await world.admin.query(`
      set role app_owner;
      create table app.p2999 partition of app.event for values from ('2027-01-01') to ('400000-01-01');
      create table app.p3000 partition of app.event for values from ('400000-01-01') to ('infinity');
      reset role`);

    const { partitions } = await world.drop({ keep: 5 });

    expect(partitions).toMatchObject([{ table: 'app.p2023', state: 'dropped' }]);
    expect(await world.tables()).toHaveLength(5);
  });

  test('MINVALUE, MAXVALUE and DEFAULT: the first may go, the others never do and the endless one is the newest', async () => {
    await world.admin.query(`
      set role app_owner;
      create table app.p0 partition of app.event for values from (minvalue) to ('2023-01-01');
      create table app.p9 partition of app.event for values from ('2027-01-01') to (maxvalue);
      create table app.p_default partition of app.event default;
      insert into app.event values (1, '2001-01-01', null);
      reset role`);

    const { partitions } = await world.drop({ cutoff: '2100-01-01 00:00:00+00', keep: 1 });

    expect(partitions.map(({ table, state }) => `${table} ${state}`)).toEqual([
      'app.p0 dropped',
      'app.p2023 dropped',
      'app.p2024 dropped',
      'app.p2025 dropped',
      'app.p2026 dropped',
    ]);
    expect(await world.tables()).toEqual(['p9']);
    expect((await world.admin.query("select from pg_class where relname = 'p_default'")).rowCount).toBe(1);
  });

  test('a partition has partitions of its own: it goes with all of them, and its rows are counted once', async () => {
    await world.admin.query(`
      set role app_owner;
      create table app.p2022 partition of app.event for values from ('2022-01-01') to ('2023-01-01') partition by range (at);
      create table app.p2022a partition of app.p2022 for values from ('2022-01-01') to ('2022-07-01');
      create table app.p2022b partition of app.p2022 for values from ('2022-07-01') to ('2023-01-01');
      insert into app.event values (1, '2022-02-01', 1), (2, '2022-08-01', 2), (3, '2022-09-01', 3);
      reset role`);

    const { partitions } = await world.drop();

    expect(partitions[0]).toMatchObject({ table: 'app.p2022', rows: 3, state: 'dropped' });
    expect(partitions[0]?.bytes).toBeGreaterThan(16_000);
    expect(await world.tables()).toEqual(['p2025', 'p2026']);
  });

  test('a partition is too large to be counted: the estimate of the server is told, and that it is one', async () => {
    await world.admin.query('analyze app.p2023');
    const database = world.cluster.database('purge', world.dbname, world.login);
    const { rows: oids } = await world.admin.query<{ oid: number }>(
      "select oid from pg_class where relname in ('p2023', 'p2024') order by relname",
    );

    const counted = await database.withSession(async (session) => {
      const warnings: string[] = [];
      const all = [];
      for (const [position, { oid }] of oids.entries()) {
        const table_name = `p${2023 + position}`;
        const partition = { table_oid: oid, schema_name: 'app', table_name, bounds: '', byte_count: 5_000_000 };
        all.push(await countPartition({ session, warnings }, partition, 4_000_000));
      }
      return { all, warnings };
    });
    await database.close();

    // Nobody has analyzed the second one yet.
    expect(counted.all).toEqual([100, null]);
    expect(counted.warnings).toEqual([
      'the rows of app.p2023 were not counted, because it is large: their number is an estimate of the server',
      'the rows of app.p2024 were not counted, because it is large: the server has no estimate',
    ]);
  });

  test('names need quotes: the partition goes', async () => {
    await world.admin.query('alter table app.p2023 rename to "p1; drop table ""x"""');

    expect((await world.drop()).partitions[0]).toMatchObject({ table: 'app.p1; drop table "x"', state: 'dropped' });
    expect(await world.tables()).toEqual(['p2025', 'p2026']);
  });

  test('the run has no time left: nothing is begun, and what was chosen is told as planned', async () => {
    const controller = new AbortController();
    controller.abort();

    const { partitions, pause } = await world.drop({ signal: controller.signal });

    expect(partitions).toMatchObject([
      { table: 'app.p2023', state: 'planned', reason: 'the time of the run was over' },
      { table: 'app.p2024', state: 'planned' },
    ]);
    expect(pause).toBeUndefined();
    expect(await world.tables()).toHaveLength(4);
  });
});

describe('dropPartitions refuses', () => {
  test('the role is no member of the owner: refused with the GRANT, nothing is done', async () => {
    await world.admin.query('revoke app_owner from nightshift_purge');

    await expect(world.drop()).rejects.toMatchObject({
      code: 'purge.refused',
      problem: 'policy "events": app.event belongs to "app_owner", and only its owner may detach or drop it',
      hint: 'the migration of the policy has to: grant "app_owner" to "nightshift_purge"',
    });
    expect(await world.tables()).toHaveLength(4);
  });

  test('a partition belongs to somebody else: refused with the GRANT, also the others stay', async () => {
    await world.admin.query('alter table app.p2024 owner to postgres');

    await expect(world.drop()).rejects.toMatchObject({
      code: 'purge.refused',
      hint: expect.stringContaining('grant "postgres"'),
    });
    expect(await world.tables()).toHaveLength(4);
  });

  test.each([
    ['it is not there', 'drop table app.event'],
    ['it is not partitioned', 'drop table app.event; create table app.event (at timestamptz)'],
    [
      'its key is another column',
      'drop table app.event; create table app.event (at timestamptz, id int) partition by range (id)',
    ],
    [
      'its key is an expression',
      "drop table app.event; create table app.event (at timestamptz) partition by range ((at at time zone 'UTC'))",
    ],
    [
      'it is partitioned by hash',
      'drop table app.event; create table app.event (at timestamptz) partition by hash (at)',
    ],
    [
      'it has two keys',
      'drop table app.event; create table app.event (at timestamptz, id int) partition by range (at, id)',
    ],
  ])('the table cannot be purged by partitions, %s: refused', async (_, sql) => {
    await world.admin.query(`set role app_owner; ${sql}; reset role`);

    await expect(world.drop()).rejects.toMatchObject({
      code: 'purge.refused',
      problem: expect.stringContaining('is not partitioned by range of "at" alone'),
    });
  });

  test.each([null, 0])('keep_partitions is %s: refused, nothing that deletes has a default', async (keep) => {
    await expect(
      world.drop({
        policy: {
          name: 'events',
          schema_name: 'app',
          table_name: 'event',
          timestamp_column: 'at',
          archive_before_delete: false,
          keep_partitions: keep,
        },
      }),
    ).rejects.toMatchObject({ code: 'purge.refused', problem: expect.stringContaining('keep_partitions') });
    expect(await world.tables()).toHaveLength(4);
  });

  test('rows are to be archived and there is no archive: refused', async () => {
    await expect(world.drop({ archives: true })).rejects.toMatchObject({ code: 'purge.refused' });
    expect(await world.tables()).toHaveLength(4);
  });
});

describe('dropPartitions archives', () => {
  test('the archive sees the detached table and the rows, in the transaction of the drop', async () => {
    const seen: unknown[] = [];

    const { partitions } = await world.drop({
      archives: true,
      archive: async (session, table) => {
        const { rows } = await session.query<{ rows: number; attached: boolean }>(
          `select (select count(*)::int from app.${table.table}) as rows, relispartition as attached from pg_class where oid = 'app.${table.table}'::regclass`,
        );
        seen.push({ ...table, ...rows[0] });
      },
    });

    expect(seen).toEqual([
      { schema: 'app', table: 'p2023', rows: 100, attached: false },
      { schema: 'app', table: 'p2024', rows: 100, attached: false },
    ]);
    expect(partitions.map(({ state }) => state)).toEqual(['dropped', 'dropped']);
  });

  test('the archive fails: the table stays, detached and recorded; the next run archives and drops it', async () => {
    const archive = async () => {
      throw new Error('S3 answered 503');
    };

    await expect(world.drop({ archives: true, archive })).rejects.toThrow('S3 answered 503');
    const after = [await world.tables(), await world.records()];
    const { partitions } = await world.drop({ archives: true, archive: async () => {} });

    expect(after).toEqual([['p2023 detached', 'p2024', 'p2025', 'p2026'], ['p2023 detached']]);
    expect(partitions.map(({ table, state }) => `${table} ${state}`)).toEqual([
      'app.p2023 dropped',
      'app.p2024 dropped',
    ]);
  });
});
