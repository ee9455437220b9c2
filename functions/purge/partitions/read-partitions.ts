// Reads the partitioned table of a policy and chooses the partitions that are past retention as a whole.
import { JobFailure } from '../../shared/job-failure.ts';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { DropDependencies, DropWork, Partition, PartitionedTable } from './partition-work.ts';

export interface ListedPartition extends Omit<Partition, 'byte_count'> {
  /** A detach of it was begun and not ended. */
  readonly is_pending: boolean;
  readonly is_chosen: boolean;
  readonly is_owner: boolean;
  readonly owner: string;
  /** Of the chosen ones. */
  readonly byte_count: number | null;
}

export interface TableNow {
  schema_name: string;
  table_name: string;
  /** Null when it is no partition of any table. */
  parent_oid: number | null;
  is_pending: boolean;
  is_owner: boolean;
  owner: string;
}

const NOTHING_DONE = 'No partition was detached or dropped';

/** The table of the policy; throws `purge.refused` when its partitions may not be dropped by this policy. */
export async function readPartitionedTable({
  session,
  policy,
}: Pick<DropDependencies, 'session' | 'policy'>): Promise<PartitionedTable> {
  const { name, schema_name, table_name, timestamp_column } = policy;
  const { rows } = await session.query<PartitionedTable & Record<string, unknown>>(
    readSqlFile('purge/partitioned-table.sql'),
    [schema_name, table_name],
  );
  const [table] = rows;
  if (table === undefined || table.key_column !== timestamp_column) {
    throw new JobFailure({
      code: 'purge.refused',
      problem: `policy "${name}": ${schema_name}.${table_name} is not partitioned by range of "${timestamp_column}" alone`,
      safeState: NOTHING_DONE,
      hint: 'use the action delete, or correct the policy by a migration',
    });
  }
  requireOwner({ policy, table }, { ...table, schema_name, table_name });
  return table;
}

/** Throws `purge.refused` with the GRANT when the role may not alter a table. */
export function requireOwner(
  { policy, table }: Pick<DropWork, 'policy' | 'table'>,
  owned: { schema_name: string; table_name: string; is_owner: boolean; owner: string },
): void {
  if (owned.is_owner) return;
  throw new JobFailure({
    code: 'purge.refused',
    problem: `policy "${policy.name}": ${owned.schema_name}.${owned.table_name} belongs to "${owned.owner}", and only its owner may detach or drop it`,
    safeState: NOTHING_DONE,
    hint: `the migration of the policy has to: grant ${quoteIdentifier(owned.owner)} to ${quoteIdentifier(table.role_name)}`,
  });
}

/**
 * All partitions but the DEFAULT one, oldest first.
 *
 * Throws `purge.refused` when one that is not to go is half detached: until that is ended no other can be detached.
 */
export async function listPartitions({ session, policy, cutoff, table }: DropWork): Promise<ListedPartition[]> {
  const { rows } = await session.query<ListedPartition & Record<string, unknown>>(readSqlFile('purge/partitions.sql'), [
    table.table_oid,
    cutoff,
    policy.keep_partitions,
    table.key_type,
  ]);
  const foreign = rows.find(({ is_pending, is_chosen }) => is_pending && !is_chosen);
  if (foreign === undefined) return rows;
  throw new JobFailure({
    code: 'purge.refused',
    problem: `policy "${policy.name}": ${foreign.schema_name}.${foreign.table_name} is half detached by somebody else, and no other partition can be detached before that has ended`,
    safeState: NOTHING_DONE,
    hint: 'look whether DETACH CONCURRENTLY still runs; else end it by ALTER TABLE … DETACH PARTITION … FINALIZE',
  });
}

/** The catalog's word on a table; undefined when it is gone. */
export async function readTableNow({ session }: Pick<DropWork, 'session'>, oid: number): Promise<TableNow | undefined> {
  const { rows } = await session.query<TableNow & Record<string, unknown>>(readSqlFile('purge/partition-now.sql'), [
    oid,
  ]);
  return rows[0];
}

/** Whether a partition that is recorded with its bounds is past the cutoff of this run: the policy may have changed since. */
export async function isPast({ session, cutoff, table }: DropWork, { bounds }: Partition): Promise<boolean> {
  const { rows } = await session.query<{ is_past: boolean | null }>(readSqlFile('purge/partition-is-past.sql'), [
    bounds,
    table.key_type,
    cutoff,
  ]);
  return rows[0]?.is_past === true;
}

/** Its rows, counted up to a size, else as the server estimates them, which a warning then says. */
export async function countPartition(
  { session, warnings }: Pick<DropWork, 'session' | 'warnings'>,
  partition: Partition,
  exactUpTo: number,
): Promise<number | null> {
  const { table_oid, schema_name, table_name, byte_count } = partition;
  if (byte_count <= exactUpTo) {
    const { rows } = await session.query<{ count: string }>(
      `select count(*)::text as count from ${quoteIdentifier(schema_name)}.${quoteIdentifier(table_name)}`,
    );
    return Number(rows[0]?.count);
  }
  const { rows } = await session.query<{ estimated_rows: number | null }>(readSqlFile('purge/estimated-rows.sql'), [
    table_oid,
  ]);
  const estimate = rows[0]?.estimated_rows ?? null;
  warnings.push(
    `the rows of ${schema_name}.${table_name} were not counted, because it is large: ${estimate === null ? 'the server has no estimate' : 'their number is an estimate of the server'}`,
  );
  return estimate;
}
