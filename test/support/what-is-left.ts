// What a failed backup may have left: objects, open uploads, sessions.
import { setTimeout as sleep } from 'node:timers/promises';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import type { FreshDatabase } from './fresh-database.ts';
import { BUCKET } from './local-aws.ts';

/** Keys of archives, globals and manifests, and uploads that are neither completed nor aborted. */
export async function leftInBucket(): Promise<{ objects: string[]; uploads: string[] }> {
  const store = createObjectStore(BUCKET);
  const objects: string[] = [];
  for await (const { key } of store.list('')) if (!/\/(claims|runs)\//.test(key)) objects.push(key);
  const uploads: string[] = [];
  for await (const { key } of store.listUploads('')) uploads.push(key);
  return { objects, uploads };
}

/** Waits until the database has no session of Nightshift; the milliseconds that took, or throws after `withinMs`. */
export async function sessionsGone(fresh: FreshDatabase, withinMs: number): Promise<number> {
  const from = performance.now();
  for (;;) {
    const { rows } = await fresh.query<{ application_name: string; state: string }>(
      "select application_name, state from pg_stat_activity where datname = $1 and application_name like 'nightshift/%'",
      [fresh.name],
    );
    const waited = performance.now() - from;
    if (rows.length === 0) return waited;
    if (waited > withinMs) throw new Error(`after ${withinMs} ms there are still ${JSON.stringify(rows)}`);
    await sleep(50);
  }
}

/** Waits until a query gives a row for the name it is about, and gives it. */
export async function waitForRow<Row extends object>(
  fresh: FreshDatabase,
  sql: string,
  withinMs = 30_000,
  about = fresh.name,
): Promise<Row> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const { rows } = await fresh.query<Row>(sql, [about]);
    if (rows[0]) return rows[0];
    await sleep(5);
  }
  throw new Error(`no row within ${withinMs} ms from ${sql}`);
}
