// Rehearses one migration file on the copy, which afterwards is as the file leaves it: the next file builds on that.
import type { Clock } from '../../shared/clock.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { type LongOperation, unitsOf } from '../../shared/migration-units.ts';
import { describeProblem, dropUnwantedRoles, endTransaction, prepareSession } from '../scratch/run-script.ts';
import type { Scratch } from '../scratch/scratch-server.ts';
import { digestTables } from '../scratch/snapshot.ts';
import type { Rates, RehearsedFile, RehearsedStatement } from './contract.ts';
import type { LiveSize } from './expected-seconds.ts';
import { rehearseAlone, rehearseInTransaction } from './rehearse-statement.ts';
import { readFacts } from './statement-facts.ts';

export interface FileRehearsal {
  scratch: Scratch;
  session: DatabaseSession;
  clock: Clock;
  migration: Migration;
  rates: Rates;
  /** By oid in the copy. */
  live: ReadonlyMap<number, LiveSize>;
}

/** Long operations that the server also runs in a transaction, where everything about them can be seen. */
const ALSO_IN_TRANSACTION: ReadonlySet<LongOperation> = new Set([
  'validate constraint',
  'add enum value',
  'refresh materialized view concurrently',
]);

/** Goes on behind a statement that fails, with a savepoint, to tell of all; the transaction it was in is then rolled back. */
export async function rehearseFile(rehearsal: FileRehearsal): Promise<RehearsedFile> {
  const { scratch, session, migration, rates, live } = rehearsal;
  const { up } = migration;
  await prepareSession(session);
  const counted = await digestTables(session, scratch.signal);
  const known = await readFacts(session, 'ever');
  const rowsInCopy = (oid: number) => counted.get(known.get(oid)?.name ?? '')?.rows ?? 0;
  const context = { ...rehearsal, known, scale: { rates, live, rowsInCopy } };
  const statements: RehearsedStatement[] = [];
  let problem: string | null = null;
  for (const unit of unitsOf(up)) {
    const isAlone = unit.kind === 'long' && !ALSO_IN_TRANSACTION.has(unit.operation);
    const name = unit.kind === 'long' ? unit.operation : unit.kind;
    if (!isAlone) await session.query('begin');
    for (const statement of unit.kind === 'transaction' ? unit.statements : [unit.statement]) {
      const rehearse = isAlone ? rehearseAlone : rehearseInTransaction;
      const rehearsed = await rehearse({ ...context, statement, unit: name });
      statements.push(rehearsed);
      if (rehearsed.problem !== null) problem ??= describeProblem(up, statement, rehearsed.problem);
    }
    if (!isAlone && problem !== null) await session.query('rollback');
    const late: string | undefined = isAlone || problem !== null ? undefined : await endTransaction(session);
    if (late !== undefined) problem = `${up.file}: at the end of a transaction: ${late}`;
    if (problem !== null) break;
    await dropUnwantedRoles(scratch, session);
  }
  const seconds = statements.map((one) => one.expectedSeconds);
  return {
    file: up.file,
    checksum: up.checksum,
    outcome: problem === null ? 'rehearsed' : 'failed',
    problem,
    statements,
    expectedSeconds: seconds.includes(null) ? null : sum(seconds),
  };
}

function sum(seconds: readonly (number | null)[]): number {
  return Math.round(seconds.reduce<number>((all, one) => all + (one ?? 0), 0) * 1_000) / 1_000;
}
