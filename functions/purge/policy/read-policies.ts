// Reads the retention policies. They are written by reviewed migrations; purge never writes one.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import {
  INSUFFICIENT_PRIVILEGE,
  INVALID_SCHEMA_NAME,
  sqlState,
  UNDEFINED_TABLE,
} from '../../shared/postgres-errors.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

export interface RetentionPolicy {
  readonly name: string;
  readonly schema_name: string;
  readonly table_name: string;
  /** Null: there is no such table. */
  readonly table_oid: string | null;
  readonly timestamp_column: string;
  readonly retention: string;
  readonly predicate: string | null;
  readonly action: 'delete' | 'anonymise' | 'drop_partition';
  readonly archive_before_delete: boolean;
  readonly enabled: boolean;
  readonly batch_rows: number | null;
  readonly reason: string;
  readonly version: number;
  /** Of the action anonymise: column to SQL expression. */
  readonly anonymise: Readonly<Record<string, string>> | null;
  /** Of the action anonymise: the column that tells that a row is done. */
  readonly marker_column: string | null;
  /** Of the action drop_partition. */
  readonly keep_partitions: number | null;
  /** Now minus the retention period, by the clock of the server, as text with its time zone. */
  readonly cutoff: string;
  readonly is_past: boolean;
}

/** All enabled policies in order of name, or the one that is named; throws `purge.refused` when that one may not run. */
export async function readPolicies(session: DatabaseSession, policyId: string | undefined): Promise<RetentionPolicy[]> {
  const rows = await readRows(session, policyId);
  const [named] = rows;
  if (policyId !== undefined && named?.enabled !== true) {
    throw new JobFailure({
      code: 'purge.refused',
      problem: `policy "${policyId}" ${named === undefined ? 'does not exist in nightshift.retention_policy' : 'is not enabled'}`,
      safeState: 'Nothing was deleted',
      hint: 'policies are added and enabled by a migration',
    });
  }
  return rows;
}

async function readRows(session: DatabaseSession, policyId: string | undefined): Promise<RetentionPolicy[]> {
  try {
    return (
      await session.query<RetentionPolicy & Record<string, unknown>>(readSqlFile('purge/policies.sql'), [
        policyId ?? null,
      ])
    ).rows;
  } catch (error) {
    const state = sqlState(error) ?? '';
    if (![UNDEFINED_TABLE, INVALID_SCHEMA_NAME, INSUFFICIENT_PRIVILEGE].includes(state)) throw error;
    throw new JobFailure({
      code: 'purge.refused',
      problem: `the retention policies cannot be read: ${describeError(error)}`,
      safeState: 'Nothing was deleted',
      hint: 'run bootstrap and migrate, which create schema nightshift and its grants',
      cause: error,
    });
  }
}
