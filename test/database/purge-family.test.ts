// Rows that go with others, keep others or are kept by others: cascades, references, a table that references itself, holds on
// any of them. On a real server, as a role that has no more rights than it needs.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPurgeWorld, type PurgeWorld } from './purge-world.ts';

describe('runPurge of tables with foreign keys', () => {
  let world: PurgeWorld;
  beforeAll(async () => {
    world = await createPurgeWorld();
  });
  beforeEach(async () => await world.reset());
  afterAll(async () => await world.close());

  const sql = async (text: string) => await world.fresh.query(text.replaceAll('ROLE', world.role.user));
  const numbers = async (query: string) => (await world.fresh.query<{ n: number }>(query)).rows.map(({ n }) => n);

  /** `item` with two rows for each event, and `note` with one for each item. */
  async function addItems(onDelete = 'cascade') {
    await sql(`
      create table app.item (
        id int generated always as identity primary key,
        event_id bigint default 1 references app.event (id) on delete ${onDelete}
      );
      create index on app.item (event_id);
      create table app.note (id int primary key, item_id int not null references app.item (id) on delete cascade);
      create index on app.note (item_id);
      insert into app.item (event_id) select id from app.event, generate_series(1, 2);
      insert into app.note select id, id from app.item;
      grant select, delete, update on app.item, app.note to ROLE`);
  }

  test('children and grandchildren go with their rows and are counted, in the plan before and in the run', async () => {
    await addItems();
    await world.addPolicy();

    const plan = await world.purge({ event: { dryRun: true } });
    const run = await world.purge();

    expect(plan.policy?.plan?.children).toEqual([
      {
        table: 'app.item',
        constraint: 'item_event_id_fkey',
        path: ['app.event', 'app.item'],
        action: 'deleted',
        rows: 80,
      },
      {
        table: 'app.note',
        constraint: 'note_item_id_fkey',
        path: ['app.event', 'app.item', 'app.note'],
        action: 'deleted',
        rows: 80,
      },
    ]);
    expect(plan.policy?.plan?.reads).toMatch(/Scan .*on event/);
    expect(run.policy).toMatchObject({
      state: 'finished',
      rowsDone: 40,
      rowsLeft: 0,
      children: [
        { table: 'app.item', deleted: 80, changed: 0 },
        { table: 'app.note', deleted: 80, changed: 0 },
      ],
    });
    expect(run.result.rowsDone).toBe(200);
    expect(await numbers('select count(*)::int as n from app.note')).toEqual([120]);
  });

  test.each([
    ['set null', 'event_id is null'],
    ['set default', 'event_id = 1'],
  ])('children are %s: they stay, lose the reference and are counted as changed', async (action, changed) => {
    await addItems(action);
    await world.addPolicy();

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 40, children: [{ table: 'app.item', deleted: 0, changed: 80 }] });
    expect(await numbers('select count(*)::int as n from app.item')).toEqual([200]);
    expect(await numbers(`select count(*)::int as n from app.item where ${changed}`)).toEqual([
      action === 'set null' ? 80 : 82,
    ]);
  });

  test('a grandchild is referenced from outside: its whole line stays and is counted, all others go', async () => {
    await addItems();
    await sql(`
      create table app.bill (note_id int references app.note (id));
      insert into app.bill select n.id from app.note n join app.item i on i.id = n.item_id where i.event_id = 100 limit 1;
      grant select on app.bill to ROLE`);
    await world.addPolicy();

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 39, rowsLeft: 1, skipped: { held: 0, referenced: 1, other: 0 } });
    expect(await numbers('select count(*)::int as n from app.item where event_id = 100')).toEqual([2]);
  });

  test('the referencing table may not be read: what it keeps is found by trying, and the run says so', async () => {
    await sql(`
      create table app.bill (event_id bigint references app.event (id));
      insert into app.bill values (100), (80)`);
    await world.addPolicy();

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 38, rowsLeft: 2, skipped: { held: 0, referenced: 2, other: 0 } });
    expect(policy?.warnings).toContainEqual(expect.stringContaining('may not read app.bill'));
  });

  test('a row is reached over two ways: it goes once and is counted once', async () => {
    await addItems();
    await sql(`
      alter table app.note add event_id bigint references app.event (id) on delete cascade;
      update app.note n set event_id = i.event_id from app.item i where i.id = n.item_id;
      create index on app.note (event_id)`);
    await world.addPolicy();

    const { policy } = await world.purge();

    expect(policy?.children).toEqual([
      { table: 'app.item', deleted: 80, changed: 0 },
      { table: 'app.note', deleted: 80, changed: 0 },
    ]);
  });

  test.each([['no action'], ['restrict'], ['cascade'], ['set null']])(
    'a table references itself (on delete %s): the old ones of a chain go, one under a young row stays',
    async (action) => {
      await sql(`
        alter table app.event add parent_id bigint references app.event (id) on delete ${action};
        create index on app.event (parent_id);
        -- A chain over all batches: each row is referenced by the one a day younger. And the young row 1 references 99.
        update app.event set parent_id = id + 1 where id between 62 and 90;
        update app.event set parent_id = 99 where id = 1;
        grant update on app.event to ROLE`);
      await world.addPolicy();

      const { policy } = await world.purge();

      // With SET NULL the young row would be changed by the server although no policy speaks of it.
      expect(policy).toMatchObject({ rowsDone: 39, rowsLeft: 1, skipped: { held: 0, referenced: 1, other: 0 } });
      expect(await numbers('select id::int as n from app.event where id > 60')).toEqual([99]);
      expect(await numbers('select parent_id::int as n from app.event where id = 1')).toEqual([99]);
    },
  );

  test('children that reference each other go together', async () => {
    await addItems();
    await sql(`
      alter table app.item add parent_id int references app.item (id) on delete cascade;
      create index on app.item (parent_id);
      -- Item 3 belongs to a young event, its parent to an old one: by the schema it goes with its parent.
      update app.item set parent_id = (select id from app.item where event_id = 100 limit 1) where event_id = 2`);
    await world.addPolicy();

    const { policy } = await world.purge();

    expect(policy?.children[0]).toEqual({ table: 'app.item', deleted: 82, changed: 0 });
  });

  test('tables that reference each other in a circle: refused with the way named, nothing is deleted', async () => {
    await addItems();
    await sql('alter table app.event add newest_item int references app.item (id)');
    await world.addPolicy();

    await expect(world.purge()).rejects.toMatchObject({
      code: 'purge.refused',
      problem: expect.stringContaining('app.event → app.item → app.event'),
    });
    expect(await world.countEvents()).toBe(100);
  });

  test('two policies, parent and child without cascade: the child goes first, whatever their names', async () => {
    await sql(`
      create table app.zebra (id int primary key, event_id bigint references app.event (id), at timestamptz);
      insert into app.zebra select id, id, "Created at" from app.event;
      grant select, delete, update on app.zebra to ROLE`);
    await world.addPolicy({ name: 'a-parents' });
    await world.addPolicy({ name: 'b-children', table: 'zebra', column: 'at' });

    const { result } = await world.purge();

    expect(result.policies.map(({ policy, rowsDone }) => [policy, rowsDone])).toEqual([
      ['b-children', 40],
      ['a-parents', 40],
    ]);
  });

  test.each([
    ['a child by its key', "('app', 'item', (select id::text from app.item where event_id = 100 limit 1), false)"],
    ['a grandchild by its key', "('app', 'note', (select id::text from app.item where event_id = 100 limit 1), false)"],
    ['a person that a grandchild leads to', "('app', 'person', '7', true)"],
  ])('a hold on %s: the whole line stays, all others go', async (_, hold) => {
    await addItems();
    await sql(`
      create table app.person (id int primary key);
      insert into app.person values (7), (8);
      alter table app.note add person_id int references app.person (id);
      update app.note set person_id = 8;
      update app.note set person_id = 7 where id = (select min(id) from app.item where event_id = 100);
      grant select on app.person to ROLE;
      insert into nightshift.legal_hold (schema_name, table_name, key_value, is_subject, reason)
      select v.a, v.b, v.c, v.d, 'case 1' from (values ${hold}) as v (a, b, c, d)`);
    await world.addPolicy();

    const plan = await world.purge({ event: { dryRun: true } });
    const { policy } = await world.purge();

    expect(plan.policy?.skipped.held).toBe(1);
    expect(policy).toMatchObject({ rowsDone: 39, rowsLeft: 1, skipped: { held: 1, referenced: 0, other: 0 } });
    expect(await numbers('select count(*)::int as n from app.item where event_id = 100')).toEqual([2]);
  });

  test.each([
    [
      'a foreign key',
      '["7","1"]',
      'alter table app.event add foreign key (person_id, team) references app.person (id, team)',
    ],
    [
      'a classified column',
      '7',
      `alter table app.person drop constraint person_pkey, add primary key (id);
      insert into nightshift.data_classification
        (schema_name, table_name, column_name, classification, encryption_required, subject_schema, subject_table)
        values ('app', 'event', 'person_id', 'INTERNAL', false, 'app', 'person')`,
    ],
  ])('a person is held to whom rows lead by %s: those that lead to nobody go', async (_, key, link) => {
    await sql(`
      create table app.person (id int, team int, primary key (id, team));
      insert into app.person values (7, 1), (8, 1);
      alter table app.event add person_id int, add team int;
      ${link};
      update app.event set person_id = 7, team = 1 where id in (99, 100);
      update app.event set person_id = 8, team = 1 where id = 98;
      create index on app.event (person_id);
      grant select on app.person to ROLE;
      insert into nightshift.legal_hold (schema_name, table_name, key_value, is_subject, reason)
        values ('app', 'person', '${key}', true, 'case 1')`);
    await world.addPolicy();

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 38, rowsLeft: 2, skipped: { held: 2, referenced: 0, other: 0 } });
    expect(await numbers('select id::int as n from app.event where id > 60 order by 1')).toEqual([99, 100]);
  });

  test('holds on rows of the table itself by a key of two columns, and one whose time has come', async () => {
    await sql(`
      create table app.visit (site text, number int, at timestamptz, primary key (site, number));
      insert into app.visit select 'a"b', age, now() - make_interval(days => age) from generate_series(1, 100) age;
      create index on app.visit (at);
      grant select, delete, update on app.visit to ROLE;
      insert into nightshift.legal_hold (schema_name, table_name, key_value, reason, placed_at, held_until) values
        ('app', 'visit', '["a\\"b","100"]', 'case 1', now(), null),
        ('app', 'visit', '["a\\"b","99"]', 'case 2', now() - interval '2 days', now() - interval '1 day'),
        ('app', 'visit', '["a\\"b","98"]', 'case 3', now(), now() + interval '1 day')`);
    await world.addPolicy({ table: 'visit', column: 'at' });

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 38, skipped: { held: 2, referenced: 0, other: 0 } });
    expect(await numbers('select number as n from app.visit where number > 60 order by 1')).toEqual([98, 100]);
  });

  test('a trigger keeps a child: nothing of its line is torn apart', async () => {
    await addItems();
    await sql(`
      create function app.keep() returns trigger language plpgsql as 'begin if old.id = 1 then return null; end if; return old; end';
      update app.item set event_id = 100 where id = 1;
      create trigger keep before delete on app.item for each row execute function app.keep()`);
    await world.addPolicy();

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 39, rowsLeft: 1, skipped: { held: 0, referenced: 0, other: 1 } });
    expect(await numbers('select count(*)::int as n from app.item where event_id = 100')).toEqual([3]);
  });

  test('somebody has a child locked: only its line stays; released, the next run takes it', async () => {
    await addItems();
    await world.addPolicy();
    const client = await world.fresh.client();
    await client.query('begin');
    await client.query('select from app.item where event_id = 100 for update');

    const first = await world.purge();
    await client.query('rollback');
    await client.end();
    const second = await world.purge();

    expect(first.policy).toMatchObject({ state: 'finished', rowsDone: 39, skipped: { other: 1 } });
    expect(second.policy).toMatchObject({ rowsDone: 1, rowsLeft: 0 });
  });
});
