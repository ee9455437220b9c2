// The scratch databases of the drill: their kind, and their sweep after a crash.
import type { Clock } from '../shared/clock.ts';
import type { Database, DatabaseSession } from '../shared/database.ts';
import type { Log } from '../shared/log.ts';
import { createDatabaseFor } from '../shared/restore/create-database.ts';
import {
  dropScratchDatabase,
  findLeftovers,
  requireScratchName,
  type ScratchKind,
} from '../shared/scratch-database.ts';

export const drillScratch: ScratchKind = { prefix: 'nightshift_drill', purpose: 'restore drill' };

/** Makes the empty database, with the encoding and locale of the source; throws `restore.locale_missing`. */
export async function createScratch(
  session: DatabaseSession,
  name: string,
  source: Parameters<typeof createDatabaseFor>[2],
): Promise<void> {
  requireScratchName(drillScratch, name);
  await createDatabaseFor(session, name, source);
}

/** Drops the scratch databases of drills that cannot be at work any more; their names are the answer. */
export async function sweepScratchDatabases(server: Database, clock: Clock, log: Log): Promise<string[]> {
  const leftovers = await server.withSession(async (session) => await findLeftovers(session, drillScratch, clock));
  for (const { name } of leftovers) {
    await dropScratchDatabase(server, drillScratch, name);
    log.warn('restore_drill.leftover_dropped', { scratch_database: name });
  }
  return leftovers.map(({ name }) => name);
}
