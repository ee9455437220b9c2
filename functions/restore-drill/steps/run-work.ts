// Step work: one pass of a drill. The workflow starts it again until it is done.
import { asJobFailure } from '../../shared/database-errors.ts';
import type { DrillWorkResult } from '../contract.ts';
import { runPass } from '../drill-pass.ts';
import { startPass } from '../pass-time.ts';
import type { RestoreDrillJob } from '../run-restore-drill.ts';

/** Restores and compares as far as the time goes. */
export async function runWork(job: RestoreDrillJob): Promise<DrillWorkResult> {
  const { drill } = job.event;
  if (drill === undefined) throw new RangeError('step work has no drill');
  const time = startPass(job);
  try {
    return await runPass(job, drill, time);
  } catch (error) {
    throw asJobFailure(error, {
      during: 'the restore drill',
      safeState: 'The backup was not changed; what is restored stays until the workflow goes on or aborts',
    });
  } finally {
    time.stop();
  }
}
