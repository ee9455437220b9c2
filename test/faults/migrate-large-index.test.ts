// An index on a large table whose builder is killed, or whose backend is ended. In the full size the table has 3 million rows; in the
// short one the build is as long because each value takes its time.
import { describe, expect, test } from 'vitest';
import { kill, useMigrateWorld } from '../database/migrate-world.ts';
import { size } from '../support/test-size.ts';

const ROWS = size === 'full' ? 3_000_000 : 4_000;
/** Seconds for each value, in fact about a millisecond, so that the build takes some seconds in either size. */
const SLEEP = size === 'full' ? 0 : 0.0001;
const FILES = {
  '0001_large.up.sql': `create table public.large (id bigint primary key, value text not null);
insert into public.large select n, md5(n::text) from generate_series(1, ${ROWS}) n;
create function public.slowly(value text) returns text language plpgsql immutable as $$
begin
  if ${SLEEP} > 0 then perform pg_sleep(${SLEEP}); end if;
  return value;
end $$;`,
  '0001_large.down.sql': 'drop table public.large; drop function public.slowly(text);',
  '0002_index.up.sql': 'create index concurrently large_value on public.large (public.slowly(value));',
  '0002_index.down.sql': 'drop index concurrently public.large_value;',
};
const first = { '0001_large.up.sql': FILES['0001_large.up.sql'], '0001_large.down.sql': FILES['0001_large.down.sql'] };

const world = useMigrateWorld();

const isBuilding = async () =>
  await expect
    .poll(
      async () =>
        (
          await world.client.query(
            'select phase from pg_stat_progress_create_index where blocks_done > 0 and datname = current_database()',
          )
        ).rowCount,
      { timeout: 60_000, interval: 20 },
    )
    .toBe(1);
const isValid = async () =>
  (
    await world.client.query(
      "select indisvalid as valid from pg_index where indexrelid = to_regclass('public.large_value')",
    )
  ).rows[0]?.valid;

describe(`CREATE INDEX CONCURRENTLY on ${ROWS} rows`, { timeout: 300_000 }, () => {
  test('its client is killed with -9: the next call tells phase, blocks and time left, then it is found finished', async () => {
    await world.migrate('up', first);
    const child = world.startChild(FILES);
    await isBuilding();
    await kill(child);

    const next = await world.migrate('up', FILES);

    expect(next).toMatchObject({
      status: 'running',
      running: {
        operation: 'create index concurrently',
        state: 'at work',
        phase: expect.stringMatching(/^building index/),
        unit: expect.stringMatching(/^(blocks|rows)$/),
        etaSeconds: expect.any(Number),
      },
    });
    const { done = 0, total = 0 } = next.running ?? {};
    expect(done).toBeGreaterThan(0);
    expect(total).toBeGreaterThanOrEqual(done ?? 0);
    const logged: string[] = [];
    await expect
      .poll(async () => await world.migrate('up', FILES, { logged }), { timeout: 240_000, interval: 500 })
      .toMatchObject({ status: 'done', current: 2 });
    expect(logged).toContain('migrate.long_step_found_done');
    expect(await isValid()).toBe(true);
  });

  test('its backend is ended: the INVALID index is found, removed and built again', async () => {
    await world.migrate('up', first);
    const running = world.migrate('up', FILES).catch((error: unknown) => error);
    await isBuilding();
    await world.client.query(
      'select pg_terminate_backend(pid, 5000) from pg_stat_progress_create_index where datname = current_database()',
    );
    expect(await running).toMatchObject({
      code: 'migrate.statement_failed',
      problem: expect.stringContaining('57P01'),
    });
    expect(await isValid()).toBe(false);
    const logged: string[] = [];

    await expect(world.migrate('up', FILES, { logged })).resolves.toMatchObject({ status: 'done', current: 2 });

    expect(logged).toContain('migrate.long_step_repaired');
    expect(await isValid()).toBe(true);
  });
});
