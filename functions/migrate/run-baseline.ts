// baseline: says of a database that was made otherwise that it has the first files already. Runs none of them.
import { requireAdvisoryLock } from '../shared/advisory-lock.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { Migration } from '../shared/migration-files.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { MigrateResult } from './contract.ts';
import { readState } from './engine/read-state.ts';
import { describeState, readProgress } from './engine/run-migrations.ts';
import type { MigrateContext } from './run-migrate.ts';

/** Marks the files up to the target as applied; throws `migrate.not_empty` when the history has rows. */
export async function runBaseline(context: MigrateContext, files: readonly Migration[]): Promise<MigrateResult> {
  const { event, database, runId, log } = context;
  const to = event.to ?? 0;
  const chosen = files.filter(({ number }) => number <= to);
  if (chosen.length !== to) {
    throw new JobFailure({
      code: 'event.wrong',
      problem: `baseline was asked to go to ${to}, but the newest file is ${files.length}`,
      safeState: 'Nothing was marked as applied',
      hint: 'name the newest file whose objects the database has',
    });
  }
  return await database.withSession(async (session) => {
    const unlock = await requireAdvisoryLock(session, {
      name: 'nightshift:schema',
      mode: 'exclusive',
      job: 'migrate',
      safeState: 'Nothing was marked as applied',
    });
    const { applied, halfDone } = await readState(session, files);
    const newest = halfDone?.migration ?? applied.at(-1);
    if (newest !== undefined) {
      throw new JobFailure({
        code: 'migrate.not_empty',
        problem: `baseline is for a database on which migrate has never run, but ${newest.number} "${newest.name}" is recorded in nightshift.migration`,
        safeState: 'Nothing was marked as applied',
        hint: 'run up, which applies what is pending',
      });
    }
    if (event.dryRun !== true) {
      await session.query('begin');
      for (const { number, name, up } of chosen) {
        await session.query(readSqlFile('migrate/record-baseline.sql'), [
          number,
          name,
          up.checksum,
          event.requestedBy,
          runId,
          up.statements.length,
        ]);
      }
      await session.query('commit');
      log.info('migrate.baseline_set', { current: to });
    }
    await unlock();
    const { state, running } = await readProgress(session, files);
    return {
      action: 'baseline',
      dryRun: event.dryRun ?? false,
      ...describeState(context, state),
      running,
      changes: chosen.map(({ up }) => `${up.file}: marked as applied`),
    };
  });
}
