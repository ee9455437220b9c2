// The application works on the same rows while purge runs: children come, rows are made young again, rows move to another partition.
// Whatever the application was told is done stays done, and each row that is gone is counted once.
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPurgeWorld, type PurgeWorld } from '../../database/purge-world.ts';
import { seed, seededRandom } from '../../support/seeded-random.ts';
import { rounds } from '../../support/test-size.ts';

const EVENTS = Math.min(6_000, 200 * rounds);
const OLD = EVENTS - Math.floor(EVENTS / 6);
const WRITERS = 3;
/** What the server answers when a row that was to be referenced or changed has gone a moment before. */
const GONE = ['23503', '40P01'];

let world: PurgeWorld;
beforeAll(async () => {
  world = await createPurgeWorld();
});
beforeEach(async () => await world.reset());
afterAll(async () => await world.close());

const query = async <Row extends object>(sql: string, values: unknown[] = []) =>
  (await world.fresh.query<Row>(sql, values)).rows;

async function createEvents(partitioned: boolean): Promise<void> {
  await world.fresh.query(`
    drop table app.event;
    create table app.event (id int, part int, at timestamptz, kind text, primary key (id, part)) ${partitioned ? 'partition by list (part)' : ''};
    ${partitioned ? 'create table app.event_0 partition of app.event for values in (0); create table app.event_1 partition of app.event for values in (1)' : ''};
    create index on app.event (at);
    insert into app.event select n, n % 2, now() - make_interval(days => case when n % 6 = 0 then 1 else 61 + n % 97 end), 'old' from generate_series(1, ${EVENTS}) n;
    grant select, delete, update on all tables in schema app to ${world.role.user};
    analyze app.event`);
}

/** Until nothing is left that a lock keeps, as the workflow does. */
async function purgeToEnd() {
  for (;;) {
    const done = await world.purge({ lockTimeoutMs: 10_000 });
    if (done.result.complete && done.policy?.skipped.other === 0) return done;
  }
}

/** Sessions of the application that do one thing after the other until `running` is over. */
async function writeDuring<T>(running: Promise<T>, write: (client: Client) => Promise<void>): Promise<T> {
  const over = new AbortController();
  const writer = async () => {
    const client = await world.fresh.client();
    while (!over.signal.aborted) await write(client);
    await client.end();
  };
  const [result] = await Promise.all([
    running.finally(() => over.abort()),
    ...Array.from({ length: WRITERS }, async () => await writer()),
  ]);
  return result;
}

const codeOf = (error: unknown) => String(Reflect.get(error as Error, 'code'));

describe(`the application works on the rows that purge removes (seed ${seed})`, () => {
  const random = seededRandom(seed);
  const anyEvent = () => 1 + Math.floor(random() * EVENTS);

  test.each(['cascade', 'no action'])(
    'children are inserted all the time (on delete %s): none is without its parent, and each is there or counted',
    async (rule) => {
      await createEvents(false);
      await world.fresh.query(`
        create table app.item (id bigint generated always as identity primary key, event_id int, part int,
          foreign key (event_id, part) references app.event (id, part) on delete ${rule});
        create index on app.item (event_id, part);
        grant select, delete, update on app.item to ${world.role.user}`);
      await world.addPolicy({ column: 'at', batchRows: 5 });
      let inserted = 0;
      let refused = 0;
      const { policy } = await writeDuring(purgeToEnd(), async (client) => {
        const event = anyEvent();
        try {
          await client.query('insert into app.item (event_id, part) values ($1, $2)', [event, event % 2]);
          inserted += 1;
        } catch (error) {
          expect(GONE).toContain(codeOf(error));
          refused += 1;
        }
      });

      const [left] = await query<{ items: number; orphans: number; old: number; referenced: number; young: number }>(`
        select (select count(*)::int from app.item) as items,
          (select count(*)::int from app.item where not exists (select from app.event e where (e.id, e.part) = (event_id, item.part))) as orphans,
          count(*) filter (where at < now() - interval '60 days')::int as old,
          count(*) filter (where at < now() - interval '60 days' and exists (select from app.item where (event_id, item.part) = (event.id, event.part)))::int as referenced,
          count(*) filter (where at >= now() - interval '60 days')::int as young
        from app.event`);
      const [counted] = await query<{ done: number; items: number }>(`
        select sum(rows_done)::int as done, sum(coalesce((rows_by_table -> 'app.item' ->> 'deleted')::int, 0))::int as items
        from nightshift.purge_run`);
      expect(inserted).toBeGreaterThan(0);
      expect(refused).toBeGreaterThan(0);
      expect(left).toMatchObject({ orphans: 0, young: EVENTS - OLD });
      expect(counted?.done).toBe(OLD - (left?.old ?? 0));
      expect(inserted).toBe((left?.items ?? 0) + (counted?.items ?? 0));
      // What is past retention and still there has a child that keeps it; with a cascade nothing keeps it.
      expect(left?.old).toBe(rule === 'cascade' ? 0 : left?.referenced);
      expect(policy?.rowsLeft).toBe(policy?.skipped.referenced);
    },
  );

  test.each([
    ['at once', false, "set at = now(), kind = 'young'", false],
    ['in a transaction that takes its time', false, "set at = now(), kind = 'young'", true],
    ['to another partition', true, "set at = now(), kind = 'young', part = 1 - part", false],
  ])(
    'old rows are made young %s: each of which that was said is there with its new value, all other old ones are gone',
    async (_, partitioned, change, isSlow) => {
      await createEvents(partitioned);
      await world.addPolicy({ column: 'at', batchRows: 5 });
      const saved = new Set<number>();
      let tooLate = 0;
      const { policy } = await writeDuring(purgeToEnd(), async (client) => {
        const event = anyEvent();
        try {
          await client.query('begin');
          const { rowCount } = await client.query(
            `update app.event ${change} where id = $1 and at < now() - interval '60 days'`,
            [event],
          );
          if (isSlow) await client.query(`select pg_sleep(${random() / 50})`);
          await client.query('commit');
          if (rowCount === 1) saved.add(event);
          else tooLate += 1;
        } catch (error) {
          // Between partitions an update is a delete and an insert: the server tells who comes second.
          expect(['40001', '40P01', '55000', '0A000']).toContain(codeOf(error));
          await client.query('rollback');
        }
      });

      const young = await query<{ id: number }>("select id from app.event where kind = 'young' order by id");
      expect(young.map(({ id }) => id)).toEqual([...saved].toSorted((one, other) => one - other));
      expect(await query("select id from app.event where at < now() - interval '60 days'")).toEqual([]);
      expect(await query("select id from app.event where kind = 'old' and id % 6 <> 0")).toEqual([]);
      const [counted] = await query<{ done: number }>('select sum(rows_done)::int as done from nightshift.purge_run');
      expect(counted?.done).toBe(OLD - saved.size);
      expect(policy?.rowsLeft).toBe(0);
      expect(saved.size).toBeGreaterThan(0);
      expect(tooLate).toBeGreaterThan(0);
    },
  );
});
