// Asks the server who it is and what this role may see, before any check runs.
import type { DatabaseSession } from '../shared/database.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { ServerFacts } from './check-definition.ts';

interface ServerRow {
  version: string;
  version_number: number;
  in_recovery: boolean;
  up_seconds: number;
  role_name: string;
  reads_all_stats: boolean;
}

/** The facts of the server; throws `health.unreadable` when it lets the role in but does not answer. */
export async function readServerFacts(session: DatabaseSession): Promise<ServerFacts> {
  try {
    const { rows } = await session.query<ServerRow>(readSqlFile('health/server.sql'));
    const [row] = rows;
    if (row === undefined) throw new RangeError('the server answered without a row');
    return {
      version: row.version,
      versionNumber: row.version_number,
      inRecovery: row.in_recovery,
      upSeconds: row.up_seconds,
      roleName: row.role_name,
      readsAllStats: row.reads_all_stats,
    };
  } catch (error) {
    throw new JobFailure({
      code: 'health.unreadable',
      problem: `the server accepted the connection but did not say which version it is: ${describeError(error)}`,
      safeState: 'No check ran and nothing was changed',
      hint: 'look at the log of the server at this time',
      cause: error,
    });
  }
}
