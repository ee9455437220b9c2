// A run of ten files whose process is killed with -9 at any moment: status tells the truth about what is left, and the next runs end
// in the same catalog and the same rows as a run that nobody disturbs.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { readInventory } from '../../functions/shared/read-inventory.ts';
import { kill, useMigrateWorld } from '../database/migrate-world.ts';
import { rounds } from '../support/test-size.ts';

/** Three kills for every two rounds: 30 in the full size. */
const KILLS = Math.ceil(rounds * 1.5);
const ROWS = 40_000;

interface Step {
  sql: string;
  /** Whether its work is in the database; undefined where nothing shows. */
  shows?: string;
}

const isValid = (index: string) =>
  `select coalesce((select indisvalid from pg_index where indexrelid = to_regclass('${index}')), false)`;
const exists = (relation: string) => `select to_regclass('${relation}') is not null`;

/** Transactions, and every kind of statement that runs alone. */
const FILES: Step[][] = [
  [
    {
      sql: 'create table public.big (id bigint primary key, value text not null, extra text)',
      shows: exists('public.big'),
    },
    {
      sql: `insert into public.big select n, md5(n::text) from generate_series(1, ${ROWS}) n`,
      shows: 'select count(*) > 0 from public.big',
    },
  ],
  [{ sql: 'create index concurrently big_value on public.big (value)', shows: isValid('public.big_value') }],
  [
    { sql: 'alter table public.big add constraint value_length check (length(value) = 32) not valid' },
    {
      sql: 'alter table public.big validate constraint value_length',
      shows: "select bool_or(convalidated) from pg_constraint where conname = 'value_length'",
    },
  ],
  [
    { sql: '-- nightshift: batch by id 2000\nupdate public.big set extra = value where extra is null' },
    {
      sql: 'alter table public.big alter column extra set not null',
      shows: "select attnotnull from pg_attribute where attrelid = 'public.big'::regclass and attname = 'extra'",
    },
  ],
  [
    { sql: "create type public.mood as enum ('ok')", shows: "select to_regtype('public.mood') is not null" },
    {
      sql: "alter type public.mood add value 'sad' before 'ok'",
      shows: "select count(*) > 0 from pg_enum where enumlabel = 'sad'",
    },
    { sql: "create table public.moods (mood public.mood not null default 'sad')", shows: exists('public.moods') },
  ],
  [{ sql: 'create unique index concurrently big_extra on public.big (extra, id)', shows: isValid('public.big_extra') }],
  [
    { sql: 'alter table public.big add column twice text generated always as (value || value) stored' },
    { sql: 'reindex index concurrently public.big_value' },
    { sql: 'vacuum (analyze) public.big' },
  ],
  [
    {
      sql: 'create materialized view public.seen as select id from public.big where id % 7 = 0',
      shows: exists('public.seen'),
    },
    { sql: 'create unique index seen_id on public.seen (id)', shows: exists('public.seen_id') },
    { sql: 'refresh materialized view concurrently public.seen' },
  ],
  [
    { sql: 'create table public.parted (id int not null) partition by range (id)', shows: exists('public.parted') },
    {
      sql: 'create table public.part partition of public.parted for values from (0) to (9)',
      shows: exists('public.part'),
    },
    {
      sql: 'alter table public.parted detach partition public.part concurrently',
      shows:
        "select not exists (select from pg_inherits where inhrelid = to_regclass('public.part')) and to_regclass('public.part') is not null",
    },
  ],
  [
    {
      sql: 'drop index concurrently public.big_extra',
      shows: "select to_regclass('public.big_extra') is null and to_regclass('public.parted') is not null",
    },
  ],
];

const SCRIPTS = Object.fromEntries(
  FILES.flatMap((steps, index) => {
    const name = `${String(index + 1).padStart(4, '0')}_file`;
    return [
      [`${name}.up.sql`, `${steps.map(({ sql }) => sql).join(';\n')};\n`],
      [`${name}.down.sql`, '-- nightshift: irreversible because this test only goes up\n'],
    ];
  }),
);

const world = useMigrateWorld();

/** Everything that is defined in the database, and its rows. */
async function snapshot(client: Client) {
  await client.query('begin isolation level repeatable read');
  const session = { query: async (sql: string, values?: unknown[]) => await client.query(sql, values) };
  const { entries } = await readInventory(session as never, { lockTimeoutMs: 0, statementTimeoutMs: 0 });
  const { rows } = await client.query(
    'select (select md5(string_agg(b::text, $1 order by id)) from public.big b) as big, (select count(*) from public.seen) as seen',
    ['|'],
  );
  await client.query('commit');
  const invalid = await client.query('select indexrelid::regclass::text as name from pg_index where not indisvalid');
  return {
    entries: entries?.filter(([, identity]) => !identity.includes('"nightshift"')),
    rows,
    invalid: invalid.rows,
  };
}

async function shows(step: Step): Promise<boolean | undefined> {
  if (step.shows === undefined) return undefined;
  try {
    return Object.values((await world.client.query(step.shows)).rows[0] ?? {})[0] === true;
  } catch {
    // What it looks at is not there.
    return false;
  }
}

/** What status says, beside what the catalog shows: a statement that it calls done is done, one that has not begun is not. */
async function expectTruth(): Promise<void> {
  const status = await world.migrate('status', SCRIPTS);
  for (const [index, steps] of FILES.entries()) {
    const number = index + 1;
    for (const [at, step] of steps.entries()) {
      const statement = at + 1;
      const done =
        number <= status.current || (status.halfDone?.number === number && statement <= status.halfDone.statementsDone);
      const isAtWork = status.running?.number === number && status.running.statement === statement;
      // The last index is dropped again, and the index of file 6 goes with it.
      if (isAtWork || (number === 6 && status.current >= 9)) continue;
      const what = `file ${number} statement ${statement}, after ${JSON.stringify(status)}`;
      const shown = await shows(step);
      if (shown !== undefined) expect([what, shown]).toEqual([what, done]);
    }
  }
}

describe('migrate, killed with -9 in a run of ten files', () => {
  let wholeMs = 0;
  let expected: Awaited<ReturnType<typeof snapshot>>;

  test('nobody disturbs it: the catalog and the rows that all the others must end in', async () => {
    const from = performance.now();
    const child = world.startChild(SCRIPTS);
    await new Promise((gone) => child.once('exit', gone));
    wholeMs = performance.now() - from;

    expect(child.exitCode).toBe(0);
    expected = await snapshot(world.client);
    expect(expected.entries?.length).toBeGreaterThan(30);
    expect(expected.invalid).toEqual([]);
    expect(await world.migrate('status', SCRIPTS)).toMatchObject({
      current: 10,
      pending: [],
      halfDone: null,
      running: null,
    });
  });

  test.each(Array.from({ length: KILLS }, (_, moment) => moment))(
    'at any moment (%i): status tells the truth, and the next runs end where an undisturbed one does',
    { timeout: 120_000 },
    async (moment) => {
      const child = world.startChild(SCRIPTS);
      // Spread over the whole run, with some chance in each part of it.
      await sleep((wholeMs * (moment + Math.random())) / KILLS);
      await kill(child);
      // A transaction of the killed one is rolled back when the server sees that its client has gone, at most 2 s later.
      await expect
        .poll(
          async () =>
            (
              await world.client.query(
                "select from pg_stat_activity a where application_name = 'nightshift/migrate' and not exists (select from nightshift.migration_long_step l where l.process_id = a.pid and l.backend_start = a.backend_start and l.operation <> 'batches')",
              )
            ).rowCount,
          { timeout: 20_000 },
        )
        .toBe(0);
      await expectTruth();

      await expect
        .poll(async () => await world.migrate('up', SCRIPTS), { timeout: 60_000, interval: 200 })
        .toMatchObject({ status: 'done', current: 10, halfDone: null, running: null });

      expect(await snapshot(world.client)).toEqual(expected);
      const steps = await world.client.query(
        "select number, statement_number, count(*) from nightshift.migration_step where kind = 'application' and outcome = 'done' group by 1, 2 having count(*) > 1",
      );
      expect(steps.rows).toEqual([]);
    },
  );
});
