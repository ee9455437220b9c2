// The archive is not what its manifest says: a finding about the backup, and never about the server or S3.
import type { DrillDifference } from '../drill-record.ts';
import { JobFailure } from '../job-failure.ts';

/** Thrown before anything of the damaged object is committed. */
export class ArchiveDamage extends JobFailure {
  readonly differences: readonly DrillDifference[];

  constructor(backupId: string, differences: readonly DrillDifference[]) {
    const shown = differences
      .slice(0, 5)
      .map(({ what, expected, actual }) => `${what}: manifest ${expected}, stored ${actual}`);
    super({
      code: 'restore.archive_damaged',
      problem: `the archive of backup ${backupId} is not what was written; ${differences.length} difference${differences.length === 1 ? '' : 's'}: ${shown.join('; ')}`,
      safeState: 'No row of what is damaged was restored; the backup was not changed',
      hint: 'do not rely on this backup: restore another one, and keep this one for the investigation',
    });
    this.differences = differences;
  }
}
