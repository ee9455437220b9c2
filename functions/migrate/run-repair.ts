// repair: brings a half done file to where up or down goes on cleanly: what a broken long statement has left is removed, and a step
// that the server has ended by itself is recorded.
import { requireAdvisoryLock } from '../shared/advisory-lock.ts';
import type { Migration } from '../shared/migration-files.ts';
import { scriptOf } from '../shared/migration-run.ts';
import { unitsOf } from '../shared/migration-units.ts';
import type { MigrateResult } from './contract.ts';
import { readState } from './engine/read-state.ts';
import { describeState, readProgress } from './engine/run-migrations.ts';
import { readLongStep } from './long/long-step.ts';
import { longWork } from './long/long-work.ts';
import { recordFoundDone, repairLongStep } from './long/run-long-unit.ts';
import type { MigrateContext } from './run-migrate.ts';

/** Changes nothing while the statement is at work: the lock is its own. */
export async function runRepair(context: MigrateContext, files: readonly Migration[]): Promise<MigrateResult> {
  const { database, event } = context;
  const dryRun = event.dryRun ?? false;
  return await database.withSession(async (session) => {
    const unlock = await requireAdvisoryLock(session, {
      name: 'nightshift:schema',
      mode: 'exclusive',
      job: 'migrate',
      safeState: 'Nothing was repaired',
    });
    const { halfDone } = await readState(session, files);
    const step = await readLongStep(session);
    const changes: string[] = [];
    const unit =
      halfDone &&
      unitsOf(scriptOf(halfDone.migration, halfDone.direction)).find(
        (one) => one.kind === 'long' && one.statement.number === halfDone.statementsDone + 1,
      );
    if (halfDone && unit?.kind === 'long') {
      await session.query('reset search_path');
      const work = longWork(unit.operation, unit.statement.tree);
      changes.push(...(await repairLongStep(session, work, { dryRun })));
      const now = await work.look(session);
      if (step && work.isDone(step.catalog_before, now, step.started_at)) {
        changes.push(
          `statement ${unit.statement.number} "${unit.statement.firstLine}" was ended by the server: recorded as done`,
        );
        if (!dryRun) await recordFoundDone(context, halfDone, unit.statement, step.started_at);
      }
    }
    await unlock();
    const { state, running } = await readProgress(session, files);
    return { action: 'repair', dryRun, ...describeState(context, state), running, changes };
  });
}
