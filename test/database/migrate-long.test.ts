// Statements that run alone: what the next run finds when the client has gone, the backend was ended, or the statement failed.
import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { kill, useMigrateWorld } from './migrate-world.ts';
import { filesOfTest } from './migration-files-of-test.ts';

const INDEX = {
  '0001_rows.up.sql':
    'create table public.rows (id bigint primary key, value text);\ninsert into public.rows select n, md5(n::text) from generate_series(1, 1000) n;',
  '0001_rows.down.sql': 'drop table public.rows;',
  '0002_index.up.sql':
    "alter table public.rows add column extra int;\ncreate index concurrently rows_value on public.rows (value);\ncomment on index public.rows_value is 'made';",
  '0002_index.down.sql': 'drop index concurrently public.rows_value;\nalter table public.rows drop column extra;',
};

const FIRST = {
  '0001_rows.up.sql': INDEX['0001_rows.up.sql'],
  '0001_rows.down.sql': INDEX['0001_rows.down.sql'],
};

const world = useMigrateWorld();

/** A transaction that a CREATE INDEX CONCURRENTLY has to wait for. */
async function openOldTransaction(): Promise<Client> {
  const old = await world.cluster.client(world.dbname);
  await old.query('begin isolation level repeatable read');
  await old.query('select count(*) from pg_class');
  return old;
}

const building = async () =>
  await expect
    .poll(async () => (await world.client.query('select phase from pg_stat_progress_create_index')).rows[0]?.phase, {
      timeout: 10_000,
    })
    .toMatch(/waiting for/);
const isValid = async (name: string) =>
  (await world.client.query('select indisvalid from pg_index where indexrelid = to_regclass($1)', [name])).rows[0]
    ?.indisvalid;
const history = async () =>
  (
    await world.client.query(
      "select number, state, statements_done as done, (select count(*)::int from nightshift.migration_long_step) as long_steps from nightshift.migration where kind = 'application' order by 1",
    )
  ).rows;

describe('a file with a statement that runs alone', () => {
  test('nobody disturbs it: every unit is recorded, down and up again as well', async () => {
    const up = await world.migrate('up', INDEX);

    expect(up).toMatchObject({ status: 'done', current: 2, halfDone: null, running: null });
    expect(await isValid('public.rows_value')).toBe(true);
    expect(await history()).toEqual([
      { number: 1, state: 'applied', done: 2, long_steps: 0 },
      { number: 2, state: 'applied', done: 3, long_steps: 0 },
    ]);
    const { rows } = await world.client.query(
      "select statement_number as n, outcome from nightshift.migration_step where number = 2 and kind = 'application' order by step_id",
    );
    expect(rows).toEqual([
      { n: 1, outcome: 'done' },
      { n: 2, outcome: 'done' },
      { n: 3, outcome: 'done' },
    ]);

    await world.migrate('down', INDEX);
    expect(await isValid('public.rows_value')).toBeUndefined();
    expect(await history()).toHaveLength(1);
    await world.migrate('up', INDEX);
    expect(await history()).toHaveLength(2);
  });

  test('its client is killed: the next call reports it at work with its blocker, then finds it finished and goes on', async () => {
    await world.migrate('up', FIRST);
    const old = await openOldTransaction();
    const child = world.startChild(INDEX);
    await building();
    await kill(child);

    const second = await world.migrate('up', INDEX);
    const status = await world.migrate('status', INDEX);

    for (const answer of [second, status]) {
      expect(answer).toMatchObject({
        current: 1,
        halfDone: { number: 2, direction: 'up', statementsDone: 1, statements: 3 },
        running: {
          operation: 'create index concurrently',
          statement: 2,
          state: 'waiting',
          blockers: expect.stringMatching(
            /^pid \d+ \("test", transaction open for \d+ s, idle in transaction, last statement: select count/,
          ),
        },
      });
    }
    expect(second).toMatchObject({ status: 'running', done: [] });
    await expect(world.migrate('down', INDEX)).resolves.toMatchObject({ status: 'running' });
    await old.query('rollback');
    await old.end();
    // The server ends it by itself, and its session with it: there is nobody to tell.
    await expect
      .poll(
        async () =>
          (await world.client.query("select from pg_stat_activity where query like 'create index concurrently%'"))
            .rowCount,
        {
          timeout: 15_000,
        },
      )
      .toBe(0);
    expect(await isValid('public.rows_value')).toBe(true);
    const logged: string[] = [];
    const third = await world.migrate('up', INDEX, { logged });

    expect(third).toMatchObject({ status: 'done', current: 2, running: null });
    expect(logged).toContain('migrate.long_step_found_done');
    expect(await history()).toMatchObject([{}, { number: 2, state: 'applied', done: 3, long_steps: 0 }]);
  });

  test('its client is frozen: its session keeps the lock after the statement, is ended by a later call, and nothing is lost', async () => {
    await world.migrate('up', FIRST);
    const old = await openOldTransaction();
    const child = world.startChild(INDEX);
    await building();
    child.kill('SIGSTOP');
    await old.query('rollback');
    await old.end();
    await expect.poll(async () => await isValid('public.rows_value'), { timeout: 10_000 }).toBe(true);
    const holding = async () =>
      (await world.client.query("select from pg_locks where locktype = 'advisory' and granted and objsubid = 1"))
        .rowCount;
    expect(await holding()).toBe(1);
    expect(await world.migrate('up', INDEX)).toMatchObject({ status: 'running', running: { state: 'stopped' } });

    await expect
      .poll(async () => await world.migrate('up', INDEX), { timeout: 25_000, interval: 1_000 })
      .toMatchObject({ status: 'done', current: 2, running: null });

    expect(await history()).toMatchObject([{}, { number: 2, state: 'applied', done: 3, long_steps: 0 }]);
    expect(await holding()).toBe(0);
  });

  test('its backend is ended: the failure is recorded, the INVALID index is found, removed and built again', async () => {
    await world.migrate('up', FIRST);
    const old = await openOldTransaction();
    const running = world.migrate('up', INDEX).catch((error: unknown) => error);
    await building();
    await world.client.query(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where query like 'create index concurrently%'",
    );
    expect(await running).toMatchObject({
      code: 'migrate.statement_failed',
      safeState: expect.stringContaining('may be half done'),
    });
    await old.query('rollback');
    await old.end();
    expect(await isValid('public.rows_value')).toBe(false);
    expect(await world.migrate('status', INDEX)).toMatchObject({
      halfDone: { number: 2, statementsDone: 1 },
      running: { state: 'stopped', processId: null },
    });
    const logged: string[] = [];

    await expect(world.migrate('up', INDEX, { logged })).resolves.toMatchObject({ status: 'done', current: 2 });

    expect(await isValid('public.rows_value')).toBe(true);
    const { rows } = await world.client.query(
      "select outcome from nightshift.migration_step where number = 2 and kind = 'application' and statement_number = 2 order by step_id",
    );
    expect(rows).toEqual([{ outcome: 'failed' }, { outcome: 'done' }]);
  });

  test('its backend is ended, then repair: the INVALID index is removed, and up builds it', async () => {
    await world.migrate('up', FIRST);
    const old = await openOldTransaction();
    const running = world.migrate('up', INDEX).catch((error: unknown) => error);
    await building();
    await world.client.query(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where query like 'create index concurrently%'",
    );
    expect(await running).toMatchObject({ code: 'migrate.statement_failed' });
    await old.query('rollback');
    await old.end();

    const dry = await world.cluster.migrate(
      world.dbname,
      { action: 'repair', dryRun: true },
      { folder: filesOfTest(INDEX) },
    );
    expect(await isValid('public.rows_value')).toBe(false);
    const repaired = await world.migrate('repair', INDEX);

    for (const answer of [dry, repaired]) {
      expect(answer).toMatchObject({ changes: ['drop index concurrently public.rows_value'] });
    }
    expect(await isValid('public.rows_value')).toBeUndefined();
    await expect(world.migrate('up', INDEX)).resolves.toMatchObject({ status: 'done', current: 2 });
  });

  test('the time of the run is over: it answers "running" and leaves the statement to the server', async () => {
    await world.migrate('up', FIRST);
    const old = await openOldTransaction();
    const pause = new AbortController();
    const running = world.migrate('up', INDEX, { pause: pause.signal });
    await building();
    pause.abort();

    await expect(running).resolves.toMatchObject({ status: 'running', running: { state: 'waiting', statement: 2 } });

    await old.query('rollback');
    await old.end();
    await expect.poll(async () => await isValid('public.rows_value'), { timeout: 10_000 }).toBe(true);
    await expect
      .poll(async () => await world.migrate('up', INDEX), { timeout: 15_000 })
      .toMatchObject({ status: 'done', current: 2 });
  });

  test('rows break a unique index: it fails by name, the INVALID index is removed at once, and the data can be mended', async () => {
    const files = {
      ...INDEX,
      '0002_index.up.sql': 'create unique index concurrently rows_half on public.rows ((id / 2));',
      '0002_index.down.sql': 'drop index concurrently public.rows_half;',
    };

    await expect(world.migrate('up', files)).rejects.toMatchObject({
      code: 'migrate.statement_failed',
      problem: expect.stringMatching(/0002_index\.up\.sql:1:1: statement 1 .*SQLSTATE 23505/),
      safeState: 'What it had left half done was removed; the statements before it stay as they were recorded',
    });

    expect(await isValid('public.rows_half')).toBeUndefined();
    await world.client.query('delete from public.rows where id % 2 = 1');
    await expect(world.migrate('up', files)).resolves.toMatchObject({ status: 'done', current: 2 });
  });

  test('an INVALID index of that name is there, and the file says IF NOT EXISTS: it is removed, not passed over', async () => {
    const files = {
      ...INDEX,
      '0002_index.up.sql': 'create unique index concurrently if not exists rows_value on public.rows (value);',
      '0002_index.down.sql': 'drop index concurrently public.rows_value;',
    };
    await world.migrate('up', FIRST);
    await world.client.query('insert into public.rows select -1, value from public.rows where id = 1');
    await expect(
      world.client.query('create unique index concurrently rows_value on public.rows (value)'),
    ).rejects.toMatchObject({ code: '23505' });
    await world.client.query('delete from public.rows where id = -1');
    await world.client.query('alter table public.rows owner to nightshift_migrate');

    await world.migrate('up', files);

    expect(await isValid('public.rows_value')).toBe(true);
  });

  test('somebody else builds that index: refused with the pid, and it is not dropped under him', async () => {
    await world.migrate('up', FIRST);
    const files = {
      ...INDEX,
      '0002_index.up.sql': 'create index concurrently if not exists rows_value on public.rows (value);',
      '0002_index.down.sql': 'drop index concurrently public.rows_value;',
    };
    const old = await openOldTransaction();
    const other = await world.cluster.client(world.dbname);
    const build = other.query('create index concurrently rows_value on public.rows (value)');
    await building();

    await expect(world.migrate('up', files)).rejects.toMatchObject({
      code: 'job.locked',
      problem: expect.stringMatching(/wants an index that pid \d+ is building/),
    });

    await old.query('rollback');
    await build;
    expect(await isValid('public.rows_value')).toBe(true);
    await old.end();
    await other.end();
  });

  test('half done upwards: down is refused and says how to go on', async () => {
    const files = { ...INDEX, '0002_index.up.sql': `${INDEX['0002_index.up.sql']}\nselect 1 / 0;` };
    await expect(world.migrate('up', files)).rejects.toMatchObject({ code: 'migrate.statement_failed' });

    await expect(world.migrate('down', files)).rejects.toMatchObject({
      code: 'migrate.half_done',
      problem: 'down cannot begin: of "migrations/0002_index.up.sql" 2 of 4 statements are committed',
      hint: 'end it with up, then ask again',
    });

    const edited = { ...files, '0002_index.up.sql': files['0002_index.up.sql'].replace('1 / 0', '1') };
    await expect(world.migrate('up', edited)).rejects.toMatchObject({ code: 'migrate.changed' });
  });

  test.each([
    [
      'validate constraint',
      'alter table public.rows add constraint positive check (id > 0) not valid;\nalter table public.rows validate constraint positive;',
      'alter table public.rows drop constraint positive;',
    ],
    [
      'add enum value',
      "create type public.mood as enum ('ok');\nalter type public.mood add value 'sad' before 'ok';",
      'drop type public.mood;',
    ],
    ['vacuum', 'vacuum (analyze) public.rows;', 'select 1;'],
    ['reindex concurrently', 'reindex table concurrently public.rows;', 'select 1;'],
    [
      'refresh',
      'create materialized view public.seen as select id from public.rows;\ncreate unique index seen_id on public.seen (id);\nrefresh materialized view concurrently public.seen;',
      'drop materialized view public.seen;',
    ],
    [
      'detach',
      'create table public.parted (id int) partition by range (id);\ncreate table public.part partition of public.parted for values from (0) to (9);\nalter table public.parted detach partition public.part concurrently;',
      'drop table public.part; drop table public.parted;',
    ],
  ])('%s: runs alone, and down reverts it', async (_, up, down) => {
    const files = { ...INDEX, '0002_index.up.sql': up, '0002_index.down.sql': down };

    await expect(world.migrate('up', files)).resolves.toMatchObject({ status: 'done', current: 2, running: null });
    await expect(world.migrate('down', files)).resolves.toMatchObject({ status: 'done', current: 1 });
  });
});
