// What keeps a partition from being dropped: legal holds on it, on a row in it or on a person it leads to, and whatever needs it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPartitionWorld, type PartitionWorld } from './partition-world.ts';

let world: PartitionWorld;
beforeAll(async () => {
  world = await createPartitionWorld();
});
beforeEach(async () => await world.reset());
afterAll(async () => await world.cluster.stop());

describe('dropPartitions keeps', () => {
  /** Why p2023 is kept, when only p2024 has gone. */
  const reasonOfP2023 = async () => {
    const { partitions } = await world.drop();
    expect(partitions).toMatchObject([
      { table: 'app.p2023', state: 'kept' },
      { table: 'app.p2024', state: 'dropped' },
    ]);
    expect(await world.tables()).toEqual(['p2023', 'p2025', 'p2026']);
    expect(await world.records()).toEqual(['p2024 dropped 100']);
    return partitions[0]?.reason;
  };

  test('the whole partition is held: it is not touched, the other one goes', async () => {
    await world.hold('p2023', null);
    expect(await reasonOfP2023()).toMatch(/^legal hold \d+ is on the whole table app\.p2023$/);
  });

  test('the whole table is held: nothing goes', async () => {
    await world.hold('event', null);

    expect((await world.drop()).partitions.map(({ state }) => state)).toEqual(['kept', 'kept']);
    expect(await world.tables()).toHaveLength(4);
  });

  test('a hold is on a table that was renamed: what it holds cannot be told, so nothing goes', async () => {
    await world.admin.query('drop table if exists app.paper; create table app.paper (id bigint primary key)');
    await world.hold('paper', '1');
    await world.admin.query('alter table app.paper rename to document');

    const { partitions } = await world.drop();

    await world.admin.query('drop table app.document');
    expect(partitions.map(({ state }) => state)).toEqual(['kept', 'kept']);
    expect(partitions[0]?.reason).toMatch(/^legal hold \d+ is on table "app\.paper", which does not exist/);
    expect(await world.tables()).toHaveLength(4);
  });

  test('one row is held by its key on the parent: its partition is kept', async () => {
    await world.hold('event', '["7", "2023-03-08 00:00:00+00"]');
    expect(await reasonOfP2023()).toMatch(/^a row in it is under legal hold \d+$/);
  });

  test('a key of one column, on the partition itself: it is kept', async () => {
    await world.reset({ key: 'check (true)' });
    await world.admin.query('alter table app.p2023 add primary key (id)');
    await world.hold('p2023', '7');
    expect(await reasonOfP2023()).toMatch(/^a row in it is under legal hold \d+$/);
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
    expect(await reasonOfP2023()).toMatch(/^a row in it is under legal hold \d+$/);
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
    expect(await reasonOfP2023()).toMatch(/^a row in it is under legal hold \d+$/);
  });

  test('a person is held whom only a classified column names: its partition is kept', async () => {
    await world.admin.query(`
      alter table app.event add column customer text;
      update app.event set customer = '300' where id = 12;
      insert into nightshift.data_classification
        (schema_name, table_name, column_name, classification, pii_category, encryption_required, subject_schema, subject_table)
        values ('app', 'event', 'customer', 'CONFIDENTIAL', 'reference', false, 'app', 'person')`);
    await world.hold('person', '300', true);
    expect(await reasonOfP2023()).toMatch(/^a row in it is under legal hold \d+$/);
  });

  test('rows of the parent are referenced by a foreign key: the partition that has them is kept and told why', async () => {
    await world.admin.query(`
      set role app_owner;
      create table app.item (event_id bigint, event_at timestamptz, foreign key (event_id, event_at) references app.event);
      insert into app.item select id, at from app.p2023 limit 1;
      reset role`);
    expect(await reasonOfP2023()).toMatch(
      /^rows of it are referenced by foreign key "item_event_id_event_at_fkey" of app\.item$/,
    );
  });

  test('a view reads the very partition: it is kept and told why', async () => {
    await world.admin.query('set role app_owner; create view app.old as select id from app.p2023; reset role');
    expect(await reasonOfP2023()).toMatch(/^it is needed by view app\.old$/);
  });

  test('a table references the very partition: it is kept and told why', async () => {
    await world.admin.query(`
      set role app_owner;
      create table app.note (id bigint, at timestamptz, constraint note_of_event foreign key (id, at) references app.p2023);
      reset role`);
    expect(await reasonOfP2023()).toMatch(/^it is needed by foreign key "note_of_event" of app\.note$/);
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
