// The scratch database of a drill: made, dropped, and swept after a crash. Only databases whose name this file made, and
// which this role owns, are ever dropped. A comment on it says until when its drill may be at work.
import { createHash } from 'node:crypto';
import { type Clock, compactInstant } from '../shared/clock.ts';
import type { Database, DatabaseSession } from '../shared/database.ts';
import type { Log } from '../shared/log.ts';
import { quoteIdentifier, quoteLiteral } from '../shared/quote-identifier.ts';
import { createDatabaseFor } from '../shared/restore/create-database.ts';
import { readSqlFile } from '../shared/sql-files.ts';

/** Between CREATE DATABASE and its comment lies an instant; a database without a comment for so long has no drill. */
const WITHOUT_LEASE_MS = 3_600_000;
const NAME = /^nightshift_drill_(\d{8}t\d{6}z)_[0-9a-f]{8}$/;
const LEASE = /^Nightshift restore drill, at work until (\S+)$/;

/** A name that the same drill always gets. */
export function scratchName(startedAt: Date, drillId: string): string {
  const suffix = createHash('sha256').update(drillId).digest('hex').slice(0, 8);
  return `nightshift_drill_${compactInstant(startedAt).toLowerCase()}_${suffix}`;
}

/** Whether it is there; a pass that was killed may have made it. */
export async function scratchExists(session: DatabaseSession, name: string): Promise<boolean> {
  const { rowCount } = await session.query('select from pg_catalog.pg_database where datname = $1', [name]);
  return rowCount > 0;
}

/** Makes the empty database, with the encoding and locale of the source; throws `restore.locale_missing`. */
export async function createScratch(
  session: DatabaseSession,
  name: string,
  source: Parameters<typeof createDatabaseFor>[2],
): Promise<void> {
  refuseForeign(name);
  await createDatabaseFor(session, name, source);
}

/** Says that its drill may be at work until then: nobody sweeps it before. */
export async function renewLease(session: DatabaseSession, name: string, until: Date): Promise<void> {
  refuseForeign(name);
  const words = quoteLiteral(`Nightshift restore drill, at work until ${until.toISOString()}`);
  await session.query(`comment on database ${quoteIdentifier(name)} is ${words}`);
}

/** Drops it together with any session that is still in it. */
export async function dropScratchDatabase(server: Database, name: string): Promise<void> {
  refuseForeign(name);
  await server.withSession(async (session) => {
    await session.query(`drop database if exists ${quoteIdentifier(name)} with (force)`);
  });
}

/** Drops the scratch databases of drills that cannot be at work any more; their names are the answer. */
export async function sweepScratchDatabases(server: Database, clock: Clock, log: Log): Promise<string[]> {
  const found = await server.withSession(async (session) => {
    const { rows } = await session.query<{ name: string; comment: string | null }>(
      readSqlFile('restore-drill/own-databases.sql'),
    );
    return rows;
  });
  const now = clock.now();
  const leftovers = found.filter((one) => isLeftover(one, now)).map(({ name }) => name);
  for (const name of leftovers) {
    await dropScratchDatabase(server, name);
    log.warn('restore_drill.leftover_dropped', { scratch_database: name });
  }
  return leftovers;
}

function isLeftover({ name, comment }: { name: string; comment: string | null }, now: Date): boolean {
  const made = NAME.exec(name)?.[1];
  if (made === undefined) return false;
  const until = LEASE.exec(comment ?? '')?.[1];
  if (until !== undefined) return Date.parse(until) <= now.getTime();
  return made < compactInstant(new Date(now.getTime() - WITHOUT_LEASE_MS)).toLowerCase();
}

function refuseForeign(name: string): void {
  if (!NAME.test(name)) throw new RangeError(`"${name}" is not a scratch database`);
}
