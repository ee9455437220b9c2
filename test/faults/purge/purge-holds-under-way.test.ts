// A legal hold that another session places at any moment of a run: from the moment its INSERT returns no held row goes or is changed,
// nor one that would take it along; and everything else still goes.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPurgeWorld, type PurgeWorld } from '../../database/purge-world.ts';
import { seed, seededRandom } from '../../support/seeded-random.ts';
import { rounds } from '../../support/test-size.ts';

const EVENTS = 400;

/** What a hold is on, and which events it keeps; `$1` is the key. All of an event's family stays with it. */
const HOLDS = {
  'a row of the table': { table: 'event', isSubject: false, events: 'id = $1::int', logs: 'false' },
  'a row that would go with it': {
    table: 'item',
    isSubject: false,
    events: 'id in (select event_id from app.item where id = $1::int)',
    logs: 'false',
  },
  'a person': { table: 'person', isSubject: true, events: 'person_id = $1::int', logs: 'person_key = $1::int' },
  'a row that would be changed with it': {
    table: 'note',
    isSubject: false,
    events: 'id in (select event_id from app.note where id = $1::int)',
    logs: 'false',
  },
  'a row two steps below': {
    table: 'detail',
    isSubject: false,
    events: 'id in (select event_id from app.item where id in (select item_id from app.detail where id = $1::int))',
    logs: 'false',
  },
} as const;
const KINDS = Object.keys(HOLDS) as (keyof typeof HOLDS)[];

interface Kept {
  readonly events: number[];
  readonly logs: number[];
  /** Of these events with all that belongs to them, and of these logs: each row as text. */
  readonly rows: string[];
}

describe(`a legal hold under way (seed ${seed})`, () => {
  const random = seededRandom(seed);
  let world: PurgeWorld;
  let wholeMs = 0;
  let inTime = 0;
  beforeAll(async () => {
    world = await createPurgeWorld();
  });
  beforeEach(async () => {
    await world.reset();
    await world.fresh.query(`
      drop table app.event;
      create table app.person (id int primary key);
      create table app.event (id int primary key, person_id int references app.person (id), at timestamptz);
      create index on app.event (at);
      create table app.item (id int primary key, event_id int references app.event (id) on delete cascade);
      create index on app.item (event_id);
      create table app.detail (id int primary key, item_id int references app.item (id) on delete cascade);
      create index on app.detail (item_id);
      create table app.note (id int primary key, event_id int references app.event (id) on delete set null);
      create index on app.note (event_id);
      create table app.log (id int primary key, person_key int, at timestamptz);
      create index on app.log (at);
      insert into app.person select n from generate_series(1, 20) n;
      insert into app.event select n, 1 + n % 20, now() - make_interval(days => case when n % 8 = 0 then 1 else 61 end, secs => n * 37 % 401)
        from generate_series(1, ${EVENTS}) n;
      insert into app.item select n, n from generate_series(1, ${EVENTS}) n;
      insert into app.detail select n, n from generate_series(1, ${EVENTS}) n;
      insert into app.note select n, n from generate_series(1, ${EVENTS}) n;
      insert into app.log select n, 1 + n % 20, now() - interval '61 days' from generate_series(1, 100) n;
      insert into nightshift.data_classification
        (schema_name, table_name, column_name, classification, encryption_required, subject_schema, subject_table)
        values ('app', 'log', 'person_key', 'INTERNAL', false, 'app', 'person');
      grant select, delete, update on all tables in schema app to ${world.role.user};
      analyze app.event, app.item, app.detail, app.note, app.log`);
    await world.addPolicy({ name: 'events', column: 'at', batchRows: 5 });
    await world.addPolicy({ name: 'logs', table: 'log', column: 'at', batchRows: 5 });
  });
  afterAll(async () => await world.close());

  async function purgeToEnd() {
    for (;;) {
      const done = await world.purge({ lockTimeoutMs: 10_000, event: { executionId: 'execution-1' } });
      if (done.result.complete) return done;
    }
  }

  async function rowsOf(events: number[], logs: number[], query = world.fresh.query): Promise<string[]> {
    const { rows } = await query<{ line: string }>(
      `select 'event ' || e::text as line from app.event e where id = any($1)
      union all select 'item ' || i::text from app.item i where event_id = any($1)
      union all select 'detail ' || d::text from app.detail d where item_id in (select id from app.item where event_id = any($1))
      union all select 'note ' || n::text from app.note n where event_id = any($1)
      union all select 'log ' || l::text from app.log l where id = any($2)
      order by 1`,
      [events, logs],
    );
    return rows.map(({ line }) => line);
  }

  /** A hold on what is past retention and still there; what it keeps is read before anybody can delete again. */
  async function placeHold(kind: keyof typeof HOLDS): Promise<Kept> {
    const { table, isSubject, events, logs } = HOLDS[kind];
    const { rows: old } = await world.fresh.query<{ id: number; person_id: number }>(
      "select id, person_id from app.event where at < now() - interval '60 days' order by id",
    );
    const target = old[Math.floor(random() * old.length)];
    const key = String((isSubject ? target?.person_id : target?.id) ?? 1);
    const client = await world.fresh.client();
    try {
      await client.query('begin');
      await client.query(
        "insert into nightshift.legal_hold (schema_name, table_name, key_value, is_subject, reason) values ('app', $1, $2, $3, 'case 1')",
        [table, key, isSubject],
      );
      const query = client.query.bind(client);
      const ids = async (from: string, condition: string) =>
        (
          await query<{ id: number }>(
            `select id from app.${from} where ${condition} order by id`,
            condition === 'false' ? [] : [key],
          )
        ).rows.map(({ id }) => id);
      const kept = { events: await ids('event', events), logs: await ids('log', logs) };
      const rows = await rowsOf(kept.events, kept.logs, query);
      // Its INSERT has returned: that it is not committed yet makes no difference.
      await sleep(random() * 30);
      await client.query('commit');
      return { ...kept, rows };
    } finally {
      await client.end();
    }
  }

  const old = async (table: 'event' | 'log') =>
    (
      await world.fresh.query<{ id: number }>(
        `select id from app.${table} where at < now() - interval '60 days' order by id`,
      )
    ).rows.map(({ id }) => id);

  test('no hold: everything past retention goes', async () => {
    const from = performance.now();
    const { result } = await purgeToEnd();
    wholeMs = performance.now() - from;

    expect(result.policies.map(({ rowsLeft }) => rowsLeft)).toEqual([0, 0]);
    expect(await old('event')).toEqual([]);
    expect(await old('log')).toEqual([]);
  });

  test.each(Array.from({ length: rounds }, (_, round) => [round, KINDS[round % KINDS.length] ?? 'a person'] as const))(
    'at any moment (round %i) on %s: what it keeps is at the end as it was when the INSERT returned, all else is gone',
    async (round, kind) => {
      let isOver = false;
      const running = purgeToEnd().finally(() => {
        isOver = true;
      });
      await sleep((wholeMs * 0.9 * (round + random())) / rounds);

      const kept = await placeHold(kind);
      const wasUnderWay = !isOver;
      const { result } = await running;

      expect(await rowsOf(kept.events, kept.logs)).toEqual(kept.rows);
      const fresh = (id: number) => id % 8 === 0;
      expect(await old('event')).toEqual(kept.events.filter((id) => !fresh(id)));
      expect(await old('log')).toEqual(kept.logs);
      const events = result.policies.find(({ policy }) => policy === 'events');
      expect(events?.skipped).toEqual({ held: events?.rowsLeft, referenced: 0, other: 0 });
      if (wasUnderWay && (await old('event')).length > 0) inTime += 1;
    },
  );

  test('half of the holds came while rows past retention were there and the run was under way', () => {
    process.stdout.write(`${inTime} of ${rounds} holds were placed within the ${Math.round(wholeMs)} ms of a run\n`);
    expect(inTime).toBeGreaterThanOrEqual(Math.max(1, Math.floor(rounds / 2)));
  });
});
