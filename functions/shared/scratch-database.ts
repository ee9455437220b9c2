// Scratch databases of the restore drill and of migrate: named, leased, dropped, and swept after a crash. Only databases whose
// name this file made, and which the role of the session owns, are ever dropped. A comment says until when somebody is at work.
import { createHash } from 'node:crypto';
import { type Clock, compactInstant } from './clock.ts';
import type { Database, DatabaseSession } from './database.ts';
import { quoteIdentifier, quoteLiteral } from './quote-identifier.ts';
import { readSqlFile } from './sql-files.ts';

/** Whose scratch databases; two kinds never touch each other's. */
export interface ScratchKind {
  /** Names are `<prefix>_<instant>_<hash>`. */
  readonly prefix: 'nightshift_drill' | 'nightshift_scratch';
  /** In the comment, for whoever finds one. */
  readonly purpose: string;
}

/** Between CREATE DATABASE and its comment lies an instant; a database without a comment for so long has nobody at work. */
const WITHOUT_LEASE_MS = 3_600_000;
const LEASE = /^Nightshift (.+), at work until (\S+?)(?:; (.+))?$/;

/** A name that the same work always gets. */
export function scratchName({ prefix }: ScratchKind, startedAt: Date, workId: string): string {
  const suffix = createHash('sha256').update(workId).digest('hex').slice(0, 8);
  return `${prefix}_${compactInstant(startedAt).toLowerCase()}_${suffix}`;
}

/** Whether it is there; a run that was killed may have made it. */
export async function scratchExists(session: DatabaseSession, name: string): Promise<boolean> {
  const { rowCount } = await session.query('select from pg_catalog.pg_database where datname = $1', [name]);
  return rowCount > 0;
}

/** Says that somebody may be at work until then: nobody sweeps it before. `note` is for the one who does. */
export async function renewLease(
  session: DatabaseSession,
  kind: ScratchKind,
  name: string,
  until: Date,
  note?: string,
): Promise<void> {
  requireScratchName(kind, name);
  const words = `Nightshift ${kind.purpose}, at work until ${until.toISOString()}${note === undefined ? '' : `; ${note}`}`;
  await session.query(`comment on database ${quoteIdentifier(name)} is ${quoteLiteral(words)}`);
}

/** Drops it together with any session that is still in it. */
export async function dropScratchDatabase(server: Database, kind: ScratchKind, name: string): Promise<void> {
  await server.withSession(async (session) => await dropScratchIn(session, kind, name));
}

/** The same in a session that is not in a transaction. */
export async function dropScratchIn(session: DatabaseSession, kind: ScratchKind, name: string): Promise<void> {
  requireScratchName(kind, name);
  await session.query(`drop database if exists ${quoteIdentifier(name)} with (force)`);
}

export interface Leftover {
  readonly name: string;
  /** What the one that made it noted beside the lease. */
  readonly note: string | undefined;
  /** Of the same purpose, and not only of the same kind. */
  readonly isOwn: boolean;
}

/**
 * The scratch databases of this kind at which nobody can be at work any more.
 *
 * `alone`: the caller holds a lock that everybody with this purpose takes, so that its databases are left over whatever
 * their lease says.
 */
export async function findLeftovers(
  session: DatabaseSession,
  kind: ScratchKind,
  clock: Clock,
  alone = false,
): Promise<Leftover[]> {
  const { rows } = await session.query<{ name: string; comment: string | null }>(
    readSqlFile('session/own-databases.sql'),
    [`${kind.prefix}_`],
  );
  const now = clock.now();
  return rows.flatMap(({ name, comment }) => {
    const made = nameOf(kind).exec(name)?.[1];
    if (made === undefined) return [];
    const [, purpose, until, note] = LEASE.exec(comment ?? '') ?? [];
    const isOwn = purpose === kind.purpose;
    const isOver =
      until === undefined
        ? made < compactInstant(new Date(now.getTime() - WITHOUT_LEASE_MS)).toLowerCase()
        : (alone && isOwn) || Date.parse(until) <= now.getTime();
    return isOver ? [{ name, note, isOwn }] : [];
  });
}

function nameOf({ prefix }: ScratchKind): RegExp {
  return new RegExp(String.raw`^${prefix}_(\d{8}t\d{6}z)_[0-9a-f]{8}$`);
}

/** Throws for every name that `scratchName` does not make. */
export function requireScratchName(kind: ScratchKind, name: string): void {
  if (!nameOf(kind).test(name)) throw new RangeError(`"${name}" is not a scratch database`);
}
