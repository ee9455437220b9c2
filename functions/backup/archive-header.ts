// Reads the version of a pg_dump archive from its first bytes.
import { JobFailure } from '../shared/job-failure.ts';

/** `1.14` and so on; throws when the bytes are not the head of an archive of pg_dump. */
export function archiveVersionOf(head: Buffer): string {
  // pg_backup_archiver.c, ReadHead: the magic PGDMP, then one byte each for major, minor and revision.
  if (head.length >= 8 && head.subarray(0, 5).toString('latin1') === 'PGDMP') return `${head[5]}.${head[6]}`;
  throw new JobFailure({
    code: 'client_tools.failed',
    problem: `what pg_dump wrote is not an archive: it begins with ${head.subarray(0, 8).toString('hex') || 'nothing'} instead of "PGDMP"`,
    safeState: 'No object and no backup was recorded',
    hint: 'check which program is installed as pg_dump',
  });
}
