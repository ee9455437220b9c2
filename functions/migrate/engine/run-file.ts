// One file, unit by unit, from where it is: what is committed is recorded with it, so that a run that ends anywhere can be gone on with.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { scriptOf } from '../../shared/migration-run.ts';
import type { MigrationDirection, MigrationRun } from '../../shared/migration-steps.ts';
import { type MigrationUnit, unitsOf } from '../../shared/migration-units.ts';
import { watchLockWaits } from '../../shared/watch-lock-waits.ts';
import type { DoneFile } from '../contract.ts';
import { LeftRunning } from '../long/left-running.ts';
import { runBatchUnit } from '../long/run-batch-unit.ts';
import { runLongUnit } from '../long/run-long-unit.ts';
import type { MigrateContext } from '../run-migrate.ts';
import { moveHistory } from './move-history.ts';
import { type FilePart, runTransactionUnit } from './run-transaction-unit.ts';

/**
 * Applies or reverts one file, of which `statementsDone` are committed already (undefined: it has not begun).
 *
 * Throws after a rollback, with the failure recorded; LeftRunning when the next run must go on with it.
 */
export async function runFile(
  context: MigrateContext,
  session: DatabaseSession,
  file: { migration: Migration; direction: MigrationDirection; statementsDone: number | undefined },
): Promise<DoneFile> {
  const { migration, direction } = file;
  const run: MigrationRun = {
    kind: 'application',
    requestedBy: context.event.requestedBy ?? '',
    requestId: context.runId,
    clock: context.clock,
    planHash: context.event.plan,
    signal: context.signal,
    ...(context.mayWatch ? { watch: (watched) => watchLockWaits(context, watched.processId) } : {}),
  };
  const part: FilePart = { migration, direction, run };
  const script = scriptOf(migration, direction);
  const startedMs = context.clock.monotonicMs();
  const units = unitsOf(script);
  if (units.some(({ kind }) => kind !== 'transaction')) requireSecondSession(context, script.file);
  let from = file.statementsDone;
  for (const unit of units) {
    const to = lastStatement(unit);
    if (from !== undefined && to <= from) continue;
    // Between units nothing is half done but the file, and the record says so.
    if (context.pause.aborted && (from !== undefined || unit.kind !== 'transaction')) throw new LeftRunning();
    if (unit.kind === 'transaction') {
      await runTransactionUnit(context, session, part, unit.statements, { from, to });
    } else {
      if (from === undefined) await beginFile(context, part);
      await (unit.kind === 'long'
        ? runLongUnit(context, session, part, unit)
        : runBatchUnit(context, session, part, unit));
    }
    from = to;
  }
  const durationMs = Math.round(context.clock.monotonicMs() - startedMs);
  const { number, name } = migration;
  const done = { number, name, direction, statements: script.statements.length, durationMs };
  context.log.info(direction === 'up' ? 'migrate.file_applied' : 'migrate.file_reverted', done);
  return done;
}

/** The row of the file, before the first statement of it is sent that has no transaction to share with the row. */
async function beginFile(context: MigrateContext, { run, migration, direction }: FilePart): Promise<void> {
  await context.database.withTransaction(
    async (other) => await moveHistory(other, run, migration, direction, { from: undefined, to: 0 }),
  );
}

function lastStatement(unit: MigrationUnit): number {
  return unit.kind === 'transaction' ? (unit.statements.at(-1)?.number ?? 0) : unit.statement.number;
}

function requireSecondSession({ mayWatch }: MigrateContext, file: string): void {
  if (mayWatch) return;
  throw new JobFailure({
    code: 'settings.wrong',
    problem: `"${file}" has a statement that runs alone, which a second session must record, but MAX_CONNECTIONS is 1`,
    safeState: 'Nothing of this file was run',
    hint: 'set maxConnections of migrate to 2 or more',
  });
}
