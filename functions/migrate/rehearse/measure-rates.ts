// Measures how fast this server scans, rewrites, indexes and changes rows, on a small table that nobody sees.
import type { Clock } from '../../shared/clock.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { Rates } from './contract.ts';

const ROWS = 50_000;

/** In a transaction of a scratch database that is rolled back; about half a second, with the table in memory. */
export async function measureRates(session: DatabaseSession, clock: Clock): Promise<Rates> {
  const secondsOf = async (statement: string) => {
    const startedMs = clock.monotonicMs();
    await session.query(statement);
    // No division by zero on a clock that stands.
    return Math.max(0.000_1, (clock.monotonicMs() - startedMs) / 1_000);
  };
  await session.query('begin');
  try {
    await session.query(readSqlFile('migrate/rate-table.sql'));
    const { rows } = await session.query<{ bytes: string }>(
      "select pg_catalog.pg_table_size('public.nightshift_rates') as bytes",
    );
    const bytes = Number(rows[0]?.bytes);
    const scan = await secondsOf("select count(*) from public.nightshift_rates where filler = ''");
    const index = await secondsOf('create index nightshift_rates_filler on public.nightshift_rates (filler)');
    const change = await secondsOf('update public.nightshift_rates set id = id + 1');
    await session.query('drop index public.nightshift_rates_filler');
    const rewrite = await secondsOf('alter table public.nightshift_rates alter column id type bigint');
    return {
      scanBytesPerSecond: Math.round(bytes / scan),
      rewriteBytesPerSecond: Math.round(bytes / rewrite),
      indexRowsPerSecond: Math.round(ROWS / index),
      changeRowsPerSecond: Math.round(ROWS / change),
    };
  } finally {
    await session.query('rollback').catch(() => {});
  }
}
