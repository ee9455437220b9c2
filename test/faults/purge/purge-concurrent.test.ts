// What others do to the rows while a purge is at work on them: nothing goes that is not past retention any more, and nothing is left
// without its parent.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPurgeWorld, type PurgeWorld } from '../../database/purge-world.ts';
import { closeGate, waitsAtGate } from './gate.ts';

let world: PurgeWorld;
beforeAll(async () => {
  world = await createPurgeWorld();
});
beforeEach(async () => await world.reset());
afterAll(async () => await world.close());

const sql = async (text: string) => await world.fresh.query(text.replaceAll('ROLE', world.role.user));
const numbers = async (query: string) => (await world.fresh.query<{ n: number }>(query)).rows.map(({ n }) => n);

describe('an update commits after the batch has begun, before it gets to the row', () => {
  test.each([
    ['it is young now', `"Created at" = now(), kind = 'renewed'`, {}, 39],
    ['it does not fit the predicate any more', "kind = 'kept'", { predicate: "kind <> 'kept'" }, 39],
    [
      'a subquery of the predicate does not find it any more',
      "kind = 'kept'",
      { predicate: 'exists (select from app.kind where kind.name = t.kind and kind.goes)' },
      39,
    ],
    ['it is as old as before', "kind = 'other'", {}, 40],
  ])('%s: it stays only if it may not go', async (_, change, policy, done) => {
    await sql(`
      create table app.kind (name text, goes boolean);
      insert into app.kind values ('plain', true), ('kept', false);
      grant select on app.kind to ROLE`);
    // So many that a batch finds its rows by their place; servers before November 2025 lost the new version there.
    await sql('insert into app.event ("Created at") select now() from generate_series(1, 20000); analyze app.event');
    const gate = await closeGate(world, 'event', '94');
    await world.addPolicy(policy);

    const running = world.purge();
    await waitsAtGate(world);
    await sql(`update app.event set ${change} where id = 99`);
    await gate.open();
    const result = await running;

    expect(result.policy).toMatchObject({ state: 'finished', rowsDone: done, rowsLeft: 0 });
    expect(await numbers(`select count(*)::int as n from app.event where id = 99 and kind <> 'plain'`)).toEqual([
      40 - done,
    ]);
    expect(await numbers('select count(*)::int as n from app.event where id <= 60')).toEqual([60]);
  });
});

describe('an update that is open when the run begins and commits while it waits', () => {
  /** Runs purge beside the open statement, and commits it when purge waits for it in its last pass. */
  async function purgeBeside(statement: string) {
    const client = await world.fresh.client();
    await client.query('begin');
    await client.query(statement);
    const running = world.purge({ lockTimeoutMs: 20_000 });
    await expect.poll(world.waiters, { timeout: 20_000 }).toBe(1);
    await client.query('commit');
    const { policy } = await running;
    await client.end();
    return policy;
  }

  test('it moves a row with children out of the range: row and children stay, with the new value', async () => {
    await sql(`
      create table app.item (id int primary key, event_id bigint references app.event (id) on delete cascade);
      insert into app.item select id, id from app.event;
      create index on app.item (event_id);
      grant select, delete, update on app.item to ROLE`);
    await world.addPolicy();

    const policy = await purgeBeside(`update app.event set "Created at" = now(), kind = 'renewed' where id = 100`);

    expect(policy).toMatchObject({ rowsDone: 39, rowsLeft: 0, children: [{ table: 'app.item', deleted: 39 }] });
    expect(await numbers("select id::int as n from app.event where kind = 'renewed'")).toEqual([100]);
    expect(await numbers('select count(*)::int as n from app.item where id = 100')).toEqual([1]);
  });

  test.each([
    ['deleted with its children', {}, 'app.item'],
    ['archived and deleted', { archive: true }, 'app.event'],
    [
      'anonymised',
      { action: 'anonymise', anonymise: { kind: "'gone'" }, marker: 'done_at' },
      "app.event where kind = 'plain'",
    ],
  ])(
    'it gives a row that was to be %s to a person who is held, two tables away: the row stays',
    async (_, policy, left) => {
      await sql(`
      create table app.person (id int primary key);
      create table app.account (id int primary key, person_id int references app.person (id));
      insert into app.person values (7), (8);
      insert into app.account values (70, 7), (80, 8);
      alter table app.event add account_id int default 80 references app.account (id), add done_at timestamptz;
      create index on app.event (account_id);
      create table app.item (event_id bigint ${left === 'app.item' ? 'references app.event (id) on delete cascade' : ''});
      insert into app.item select id from app.event;
      create index on app.item (event_id);
      grant select, delete, update on app.item, app.account, app.person, app.event to ROLE;
      insert into nightshift.legal_hold (schema_name, table_name, key_value, is_subject, reason)
        values ('app', 'person', '7', true, 'case 1')`);
      await world.addPolicy(policy);

      const result = await purgeBeside('update app.event set account_id = 70 where id = 100');

      expect(result).toMatchObject({ state: 'finished', rowsDone: 39, rowsLeft: 1, skipped: { held: 1 } });
      expect(await numbers(`select count(*)::int as n from ${left}`)).toEqual([61]);
    },
  );

  test('it changes a row so that a NOT EXISTS of the predicate keeps it: it is not archived and stays', async () => {
    await sql(`
      create table app.kind (name text primary key);
      insert into app.kind values ('kept');
      grant select on app.kind to ROLE`);
    await world.addPolicy({
      archive: true,
      predicate: 'not exists (select from app.kind where kind.name = t.kind)',
    });

    const policy = await purgeBeside("update app.event set kind = 'kept' where id = 100");

    expect(policy).toMatchObject({ rowsDone: 39, rowsLeft: 0, archive: { rows: 39 } });
    expect(await numbers("select id::int as n from app.event where kind = 'kept'")).toEqual([100]);
  });

  test('it renews a row that was to be anonymised: it is not changed', async () => {
    await sql(`alter table app.event add done_at timestamptz; grant update on app.event to ROLE`);
    await world.addPolicy({ action: 'anonymise', anonymise: { kind: "'gone'" }, marker: 'done_at' });

    const policy = await purgeBeside(`update app.event set "Created at" = now(), kind = 'renewed' where id = 100`);

    expect(policy).toMatchObject({ rowsDone: 39, rowsLeft: 0 });
    expect(await numbers("select id::int as n from app.event where kind = 'renewed' and done_at is null")).toEqual([
      100,
    ]);
  });

  test.each([
    ['out of the range', 'now()', 39],
    ['within the range', "now() - interval '70 days'", 40],
  ])('it moves a row into another partition, %s: the run goes on', async (_, at, done) => {
    await sql(`
      create table app.measure (id bigint, at timestamptz, primary key (id, at)) partition by range (at);
      create table app.measure_old partition of app.measure for values from (minvalue) to (now() - interval '80 days');
      create table app.measure_new partition of app.measure default;
      insert into app.measure select age, now() - make_interval(days => age) from generate_series(1, 100) as age;
      grant select, delete, update on app.measure to ROLE`);
    await world.addPolicy({ table: 'measure', column: 'at' });

    const policy = await purgeBeside(`update app.measure set at = ${at} where id = 100`);

    expect(policy).toMatchObject({ state: 'finished', rowsDone: done, rowsLeft: 0 });
    expect(await numbers('select count(*)::int as n from app.measure where id = 100')).toEqual([40 - done]);
  });

  test.each([
    ['cascade', { rowsDone: 40, rowsLeft: 0, skipped: { referenced: 0 } }, 0],
    ['no action', { rowsDone: 39, rowsLeft: 1, skipped: { referenced: 1 } }, 1],
  ])('it is a new child (on delete %s): the row goes with it, or stays for it', async (action, expected, children) => {
    await sql(`
      create table app.item (id int primary key, event_id bigint references app.event (id) on delete ${action});
      create index on app.item (event_id);
      grant select, delete, update on app.item to ROLE`);
    await world.addPolicy();

    const policy = await purgeBeside('insert into app.item values (1, 100)');

    expect(policy).toMatchObject({ state: 'finished', ...expected });
    expect(await numbers('select count(*)::int as n from app.item')).toEqual([children]);
  });
});

test('a child and a grandchild are inserted between choosing and deleting: refused by the server, and nothing is an orphan', async () => {
  await sql(`
    create table app.item (id int primary key, event_id bigint references app.event (id) on delete cascade);
    create table app.note (item_id int references app.item (id) on delete cascade, words text);
    insert into app.item select id, id from app.event;
    insert into app.note select id, 'old' from app.item;
    create index on app.item (event_id);
    create index on app.note (item_id);
    grant select, delete, update on app.item, app.note to ROLE`);
  const gate = await closeGate(world, 'item', '97');
  await world.addPolicy();
  const clients = [await world.fresh.client(), await world.fresh.client()];

  const running = world.purge();
  await waitsAtGate(world);
  const inserts = ['insert into app.item values (1000, 97)', "insert into app.note values (97, 'new')"].map(
    async (text, index) => await clients[index]?.query(text).catch((error: unknown) => error),
  );
  // The purge at the gate, and both of them behind it.
  await expect.poll(world.waiters, { timeout: 20_000 }).toBe(3);
  await gate.open();
  const { policy } = await running;
  const refusals = await Promise.all(inserts);
  for (const client of clients) await client.end();

  expect(refusals).toMatchObject([{ code: '23503' }, { code: '23503' }]);
  expect(policy).toMatchObject({ rowsDone: 40, rowsLeft: 0 });
  expect(policy?.children.map(({ table, deleted }) => [table, deleted])).toEqual([
    ['app.item', 40],
    ['app.note', 40],
  ]);
  expect(await numbers('select id as n from app.item where event_id > 60')).toEqual([]);
  expect(await numbers('select item_id as n from app.note where item_id > 60')).toEqual([]);
});

test('a dry run beside a run at work: it answers what is left, and is in nobody’s way', async () => {
  const gate = await closeGate(world, 'event', '70');
  await world.addPolicy();

  const running = world.purge();
  await waitsAtGate(world);
  const plan = await world.purge({ event: { dryRun: true } });
  await gate.open();

  expect(plan.policy?.plan?.rows).toBeLessThanOrEqual(40);
  expect(plan.policy?.plan?.rows).toBeGreaterThan(0);
  expect((await running).policy).toMatchObject({ state: 'finished', rowsDone: 40 });
});

describe('the server is set to a zone with summer time, and the clocks change between the cutoff and now', () => {
  const ZONE = 'Europe/Berlin';
  beforeEach(async () => {
    await sql(
      `alter database ${world.fresh.name} set timezone to '${ZONE}'; alter role ROLE set timezone to '${ZONE}'`,
    );
    return async () => {
      await sql(`alter database ${world.fresh.name} reset timezone; alter role ROLE reset timezone`);
    };
  });

  test.each([
    ['timestamp with time zone', '20 minutes'],
    ['timestamp', '20 minutes'],
    ['date', '1 day'],
  ])('%s: exactly the rows older than the cutoff in UTC go', async (type, step) => {
    // Three days past the newest change: at most a year ago.
    const [age = 0] = await numbers(`
      select min(age) + 3 as n from generate_series(1, 366) as age
      where (now() - make_interval(hours => age * 24)) at time zone '${ZONE}' - (now() - make_interval(hours => age * 24)) at time zone 'utc'
        <> now() at time zone '${ZONE}' - now() at time zone 'utc'`);
    await sql(`
      create table app.visit (step int primary key, at ${type} not null);
      insert into app.visit
        select step, ((now() - make_interval(hours => ${age * 24}) + step * interval '${step}') at time zone 'utc')${type === 'timestamp with time zone' ? " at time zone 'utc'" : `::${type}`}
        from generate_series(-9, 9) as step where step <> 0;
      grant select, delete, update on app.visit to ROLE`);
    await world.addPolicy({ table: 'visit', column: 'at', retention: `${age} days` });

    const { policy } = await world.purge();

    expect(age).toBeGreaterThan(3);
    expect(policy).toMatchObject({ state: 'finished', rowsDone: 9, rowsLeft: 0 });
    expect(await numbers('select step as n from app.visit order by step')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const [seconds] = await numbers(
      `select extract(epoch from now() - '${policy?.cutoff}'::timestamptz)::int - ${age * 86_400} as n`,
    );
    expect(Math.abs(seconds ?? Number.NaN)).toBeLessThan(600);
  });
});

describe('generated columns', () => {
  test('the time and a part of the key are generated: old rows go, in batches', async () => {
    await sql(`
      create table app.visit (
        day timestamp not null, number int not null,
        at timestamp not null generated always as (day + interval '1 hour') stored,
        twice int generated always as (number * 2) stored,
        primary key (twice, number)
      );
      insert into app.visit select now() at time zone 'utc' - make_interval(days => age), age from generate_series(1, 100) as age;
      grant select, delete, update on app.visit to ROLE`);
    await world.addPolicy({ table: 'visit', column: 'at' });

    expect((await world.purge()).policy).toMatchObject({ rowsDone: 40, rowsLeft: 0, batches: 6 });
    expect(await numbers('select max(number) as n from app.visit')).toEqual([60]);
  });

  test('a column is generated from one that is anonymised: it keeps nothing of it', async () => {
    await sql(`
      alter table app.event add done_at timestamptz, add loud text generated always as (upper(kind)) stored;
      grant update on app.event to ROLE`);
    await world.addPolicy({ action: 'anonymise', anonymise: { kind: "'gone'" }, marker: 'done_at' });

    expect((await world.purge()).policy).toMatchObject({ rowsDone: 40, rowsLeft: 0 });
    expect(await numbers("select count(*)::int as n from app.event where loud = 'GONE'")).toEqual([40]);
    expect(await numbers("select count(*)::int as n from app.event where loud = 'PLAIN'")).toEqual([60]);
  });
});
