// The failure of an archive, in one form.
import { JobFailure } from '../../shared/job-failure.ts';

const ROLLED_BACK = 'The batch is rolled back: its rows stay in the table, and what was stored of it counts as nothing';

/** `safeState` is that of a batch unless something else is said. */
export function archiveFailure(
  problem: string,
  hint: string,
  { safeState = ROLLED_BACK, cause }: { safeState?: string; cause?: unknown } = {},
): JobFailure {
  return new JobFailure({ code: 'purge.archive_failed', problem, safeState, hint, cause });
}
