// The scratch database of a drill: made, dropped, and swept after a crash. Only databases whose name this file made, and
// which this role owns, are ever dropped.
import { randomBytes } from 'node:crypto';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { type Clock, compactInstant } from '../shared/clock.ts';
import type { Database } from '../shared/database.ts';
import type { Log } from '../shared/log.ts';
import { quoteIdentifier, quoteLiteral } from '../shared/quote-identifier.ts';
import { readSqlFile } from '../shared/sql-files.ts';

/** Longer than any drill in one Lambda can live (15 minutes), so a drill at work is never swept by another. */
const LEFTOVER_AFTER_MS = 3_600_000;
const NAME = /^nightshift_drill_(\d{8}t\d{6}z)_[0-9a-f]{8}$/;

/** Creates an empty database with the encoding of the backup; its name is the answer. */
export async function createScratchDatabase(server: Database, clock: Clock, manifest: BackupManifest): Promise<string> {
  const name = `nightshift_drill_${compactInstant(clock.now()).toLowerCase()}_${randomBytes(4).toString('hex')}`;
  // The server's own locale fits its own encoding only; C fits every one.
  const locale = manifest.encoding === 'UTF8' ? '' : " locale 'C'";
  await server.withSession(async (session) => {
    await session.query(
      `create database ${quoteIdentifier(name)} template template0 encoding ${quoteLiteral(manifest.encoding)}${locale}`,
    );
  });
  return name;
}

/** Drops it together with any session that is still in it. */
export async function dropScratchDatabase(server: Database, name: string): Promise<void> {
  if (!NAME.test(name)) throw new RangeError(`"${name}" is not a scratch database`);
  await server.withSession(async (session) => {
    await session.query(`drop database if exists ${quoteIdentifier(name)} with (force)`);
  });
}

/** Drops the scratch databases that crashed drills of more than an hour ago have left; their names are the answer. */
export async function sweepScratchDatabases(server: Database, clock: Clock, log: Log): Promise<string[]> {
  const names = await server.withSession(async (session) => {
    const { rows } = await session.query<{ name: string }>(readSqlFile('restore-drill/own-databases.sql'));
    return rows.map((row) => row.name);
  });
  const limit = compactInstant(new Date(clock.now().getTime() - LEFTOVER_AFTER_MS)).toLowerCase();
  const leftovers = names.filter((name) => (NAME.exec(name)?.[1] ?? limit) < limit);
  for (const name of leftovers) {
    await dropScratchDatabase(server, name);
    log.warn('restore_drill.leftover_dropped', { scratch_database: name });
  }
  return leftovers;
}
