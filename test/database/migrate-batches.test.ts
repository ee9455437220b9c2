// UPDATE and DELETE in batches: whoever is killed or stopped loses nothing, and no row is written twice.
import { describe, expect, test } from 'vitest';
import { kill, useMigrateWorld } from './migrate-world.ts';

const world = useMigrateWorld();

describe('an UPDATE in batches', () => {
  const BATCHES = {
    '0001_rows.up.sql':
      'create table public.rows (id bigint primary key, value text, twice text);\ninsert into public.rows select n, md5(n::text) from generate_series(1, 1000) n;',
    '0001_rows.down.sql': 'drop table public.rows;',
    '0002_fill.up.sql':
      "-- nightshift: batch by id 100\nupdate public.rows r set twice = value || ' where ' || value where (twice is null) or id = -1;",
    '0002_fill.down.sql': '-- nightshift: batch by id 300\nupdate public.rows set twice = null;',
  };
  const filled = async () =>
    (await world.client.query("select count(*)::int as n from public.rows where twice = value || ' where ' || value"))
      .rows[0].n;

  test('all rows: each batch is a transaction of its own, and the rows are counted', async () => {
    await world.migrate('up', BATCHES);

    expect(await filled()).toBe(1000);
    const { rows } = await world.client.query(
      'select count(distinct xmin::text)::int as transactions from public.rows',
    );
    expect(rows).toEqual([{ transactions: 10 }]);
    await world.migrate('down', BATCHES);
    expect(await filled()).toBe(0);
  });

  test('the time of the run is over in the middle: "running" with the rows, and the next run goes on behind them', async () => {
    await world.migrate('up', {
      '0001_rows.up.sql': BATCHES['0001_rows.up.sql'],
      '0001_rows.down.sql': BATCHES['0001_rows.down.sql'],
    });
    await world.client.query('analyze public.rows');
    // Counts the rows that are written, so that none is written twice.
    await world.client.query(
      'create table public.written (id bigint); grant insert on public.written to nightshift_migrate; create function public.count_written() returns trigger language plpgsql as $$ begin insert into public.written values (new.id); return new; end $$; create trigger written before update on public.rows for each row execute function public.count_written()',
    );
    const holder = await world.cluster.client(world.dbname);
    await holder.query('begin; select * from public.rows where id = 450 for update');
    const pause = new AbortController();
    const running = world.migrate('up', BATCHES, { pause: pause.signal, lockTimeoutMs: 60_000 });
    const waiting = async () =>
      (await world.client.query("select from pg_stat_activity where wait_event_type = 'Lock' and query like 'update%'"))
        .rowCount;
    await expect.poll(waiting, { timeout: 10_000 }).toBe(1);
    pause.abort();
    await holder.query('rollback');

    await expect(running).resolves.toMatchObject({
      status: 'running',
      running: { operation: 'batches', state: 'stopped', done: 500, total: 1000, unit: 'rows' },
    });
    expect(await filled()).toBe(500);
    await expect(world.migrate('up', BATCHES)).resolves.toMatchObject({ status: 'done', current: 2 });
    expect(await filled()).toBe(1000);
    expect((await world.client.query('select count(*)::int as n from public.written')).rows).toEqual([{ n: 1000 }]);
    await holder.end();
  });

  test('another up comes between two batches: it answers "running", and the first one ends undisturbed', async () => {
    const slow = {
      ...BATCHES,
      '0002_fill.up.sql':
        "-- nightshift: batch by id 20\nupdate public.rows set twice = value || ' where ' || value where pg_sleep(0.001) is not null;",
    };
    await world.migrate('up', {
      '0001_rows.up.sql': BATCHES['0001_rows.up.sql'],
      '0001_rows.down.sql': BATCHES['0001_rows.down.sql'],
    });
    const first = world.migrate('up', slow);
    await expect.poll(async () => await filled(), { timeout: 10_000 }).toBeGreaterThan(0);

    let answers = 0;
    while ((await filled()) < 900) {
      expect(await world.migrate('up', slow)).toMatchObject({
        status: 'running',
        running: { operation: 'batches', state: 'at work' },
        done: [],
      });
      answers += 1;
    }

    expect(answers).toBeGreaterThan(1);
    await expect(first).resolves.toMatchObject({ status: 'done', current: 2, done: [{ number: 2 }] });
    expect(await filled()).toBe(1000);
  });

  test('its process is killed with -9: no batch is lost or done twice', async () => {
    const slow = {
      ...BATCHES,
      '0002_fill.up.sql':
        "-- nightshift: batch by id 100\nupdate public.rows set twice = coalesce(twice, '') || value || pg_sleep(0.002)::text;",
    };
    await world.migrate('up', {
      '0001_rows.up.sql': BATCHES['0001_rows.up.sql'],
      '0001_rows.down.sql': BATCHES['0001_rows.down.sql'],
    });
    const child = world.startChild(slow);
    await expect
      .poll(async () => (await world.client.query('select count(twice)::int as n from public.rows')).rows[0].n, {
        timeout: 15_000,
      })
      .toBeGreaterThan(100);
    await kill(child);
    // The session ends when the server sees that its client has gone.
    await expect
      .poll(
        async () =>
          (await world.client.query("select from pg_stat_activity where application_name = 'nightshift/migrate'"))
            .rowCount,
        {
          timeout: 15_000,
        },
      )
      .toBe(0);

    await expect(world.migrate('up', slow)).resolves.toMatchObject({ status: 'done', current: 2 });

    const { rows } = await world.client.query('select count(*)::int as n from public.rows where twice = value');
    expect(rows).toEqual([{ n: 1000 }]);
  });

  test.each([
    ['a column that is not there', 'nothing', 'it has no such column'],
    ['a column without an index', 'value', 'no valid index begins with it|it can be null'],
  ])('by %s: refused with the place', async (_, column, because) => {
    const files = {
      ...BATCHES,
      '0002_fill.up.sql': `-- nightshift: batch by ${column} 100\nupdate public.rows set twice = value;`,
    };

    await expect(world.migrate('up', files)).rejects.toMatchObject({
      code: 'migrate.files_wrong',
      problem: expect.stringMatching(
        new RegExp(`0002_fill\\.up\\.sql:1: .* cannot run in batches by "${column}": (${because})`),
      ),
    });
  });
});
