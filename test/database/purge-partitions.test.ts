// Which partitions drop_partition takes and which it leaves, on a real server as the real role of purge.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

describe('dropPartitions keeps', () => {
  const kept = async (reason: RegExp) => {
    const { partitions } = await world.drop();
    expect(partitions).toMatchObject([
      { table: 'app.p2023', state: 'kept', reason: expect.stringMatching(reason) },
      { table: 'app.p2024', state: 'dropped' },
    ]);
    expect(await world.tables()).toEqual(['p2023', 'p2025', 'p2026']);
    expect(await world.records()).toEqual(['p2024 dropped 100']);
  };

  test('the whole partition is held: it is not touched, the other one goes', async () => {
    await world.hold('p2023', null);
    await kept(/^legal hold \d+ is on the whole table app\.p2023$/);
  });

  test('the whole table is held: nothing goes', async () => {
    await world.hold('event', null);

    expect((await world.drop()).partitions.map(({ state }) => state)).toEqual(['kept', 'kept']);
    expect(await world.tables()).toHaveLength(4);
  });

  test('one row is held by its key on the parent: its partition is kept', async () => {
    await world.hold('event', '["7", "2023-03-08 00:00:00+00"]');
    await kept(/^a row in it is under legal hold \d+$/);
  });

  test('a key of one column, on the partition itself: it is kept', async () => {
    await world.reset({ key: 'check (true)' });
    await world.admin.query('alter table app.p2023 add primary key (id)');
    await world.hold('p2023', '7');
    await kept(/^a row in it is under legal hold \d+$/);
  });

  test('a key that is not in it, a released hold and one that has ended: the partitions go', async () => {
    await world.hold('event', '["399", "2026-06-08 00:00:00+00"]');
    await world.admin.query(`
      insert into nightshift.legal_hold (schema_name, table_name, reason, released_at, released_by) values ('app', 'event', 'x', now() + interval '1 s', 'ada');
      insert into nightshift.legal_hold (schema_name, table_name, reason, placed_at, held_until) values ('app', 'event', 'x', now() - interval '2 days', now() - interval '1 day')`);

    expect((await world.drop()).partitions.map(({ state }) => state)).toEqual(['dropped', 'dropped']);
  });

  test.each([
    ['it is one value', '7', /by a key that is not a JSON array of 2 texts/],
    ['it has a part missing', '["7"]', /by a key that is not a JSON array of 2 texts/],
    ['it has no texts', '[7, null]', /by a key that is not a JSON array of 2 texts/],
    ['it is no number', '["x", "2023-03-08 00:00:00+00"]', /cannot be told: its key is no value of the primary key/],
  ])('the key of a hold cannot be read, %s: what cannot be told is kept', async (_, key, reason) => {
    await world.hold('event', key);

    const { partitions } = await world.drop();

    expect(partitions).toMatchObject([
      { state: 'kept', reason: expect.stringMatching(reason) },
      { state: 'kept', reason: expect.stringMatching(reason) },
    ]);
    expect(await world.tables()).toHaveLength(4);
  });

  test('a person is held, and a row leads to it by a foreign key: its partition is kept', async () => {
    await world.admin.query('grant select on app.person to nightshift_purge');
    await world.hold('person', '55', true);
    await kept(/^a row in it is under legal hold \d+$/);
  });

  test('a person is held two tables away: its partition is kept', async () => {
    await world.admin.query(`
      set role app_owner;
      create table app.family (name text primary key);
      insert into app.family values ('Lovelace');
      alter table app.person add column family text references app.family;
      update app.person set family = 'Lovelace' where id = 60;
      reset role`);
    await world.hold('family', 'Lovelace', true);
    await kept(/^a row in it is under legal hold \d+$/);
  });

  test('a person is held whom only a classified column names: its partition is kept', async () => {
    await world.admin.query(`
      alter table app.event add column customer text;
      update app.event set customer = '300' where id = 12;
      insert into nightshift.data_classification
        (schema_name, table_name, column_name, classification, pii_category, encryption_required, subject_schema, subject_table)
        values ('app', 'event', 'customer', 'CONFIDENTIAL', 'reference', false, 'app', 'person')`);
    await world.hold('person', '300', true);
    await kept(/^a row in it is under legal hold \d+$/);
  });

  test('rows of the parent are referenced by a foreign key: the partition that has them is kept and told why', async () => {
    await world.admin.query(`
      set role app_owner;
      create table app.item (event_id bigint, event_at timestamptz, foreign key (event_id, event_at) references app.event);
      insert into app.item select id, at from app.p2023 limit 1;
      reset role`);
    await kept(/^rows of it are referenced by foreign key "item_event_id_event_at_fkey" of app\.item$/);
  });

  test('a view reads the very partition: it is kept and told why', async () => {
    await world.admin.query('set role app_owner; create view app.old as select id from app.p2023; reset role');
    await kept(/^it is needed by view app\.old$/);
  });

  test('a table references the very partition: it is kept and told why', async () => {
    await world.admin.query(`
      set role app_owner;
      create table app.note (id bigint, at timestamptz, constraint note_of_event foreign key (id, at) references app.p2023);
      reset role`);
    await kept(/^it is needed by foreign key "note_of_event" of app\.note$/);
  });

  test('a hold comes while the table is archived: not dropped, detached, and the statement that attaches it again is told', async () => {
    const { partitions, warnings } = await world.drop({
      archives: true,
      archive: async (_, { table }) => {
        if (table === 'p2023') await world.hold('event', '["7", "2023-03-08 00:00:00+00"]');
      },
    });
    const [, attach = ''] = /to attach it again: (.*)$/.exec(warnings[0] ?? '') ?? [];
    const again = await world.drop({ archives: true, archive: async () => {} });
    await world.admin.query(attach);

    expect(partitions).toMatchObject([
      { table: 'app.p2023', state: 'kept', reason: expect.stringMatching(/^a row in it is under legal hold \d+$/) },
      { table: 'app.p2024', state: 'dropped' },
    ]);
    expect(attach).toBe(
      `alter table "app"."event" attach partition "app"."p2023" FOR VALUES FROM ('2023-01-01 00:00:00+00') TO ('2024-01-01 00:00:00+00');`,
    );
    // Each run says so again, until somebody decides.
    expect(again).toMatchObject({ partitions: [{ table: 'app.p2023', state: 'kept' }], warnings: [warnings[0]] });
    expect(await world.tables()).toEqual(['p2023', 'p2025', 'p2026']);
  });

  test('the hold is released: the next run drops what it had kept', async () => {
    await world.drop({
      archives: true,
      archive: async (_, { table }) => {
        if (table === 'p2023') await world.hold('event', null);
      },
    });
    const during = await world.tables();
    await world.admin.query(
      "update nightshift.legal_hold set released_at = now() + interval '1 s', released_by = 'ada'",
    );

    const { partitions } = await world.drop();

    expect(during).toEqual(['p2023 detached', 'p2024', 'p2025', 'p2026']);
    expect(partitions.map(({ table, state }) => `${table} ${state}`)).toEqual([
      'app.p2023 dropped',
      'app.p2024 dropped',
    ]);
  });
});
