// What the steps of drop_partition hand to each other, and their limits.
import type { Clock } from '../../shared/clock.ts';
import type { Database, DatabaseSession } from '../../shared/database.ts';
import type { Log } from '../../shared/log.ts';
import type { PartitionResult } from '../contract.ts';
import type { RetentionPolicy } from '../policy/read-policies.ts';

export interface PartitionPolicy
  extends Pick<RetentionPolicy, 'name' | 'schema_name' | 'table_name' | 'timestamp_column' | 'archive_before_delete'> {
  /** This many of the newest partitions stay, however old they are. */
  readonly keep_partitions: number | null;
}

export interface TableName {
  readonly schema: string;
  readonly table: string;
}

export interface DropDependencies {
  /** For a second session, which watches the statements of the first one. */
  database: Database;
  /** Not in a transaction; its limits are changed and given back. */
  session: DatabaseSession;
  policy: PartitionPolicy;
  /** An instant of the server as text, with its time zone. */
  cutoff: string;
  seriesId: string;
  dryRun: boolean;
  /** Looked at between two partitions, and it cancels what waits. */
  signal: AbortSignal;
  log: Log;
  clock: Clock;
  /** Stores the rows of a detached table, inside of the transaction that drops it; when it throws nothing is dropped. */
  archive?: ((session: DatabaseSession, table: TableName) => Promise<void>) | undefined;
}

export interface PartitionedTable {
  readonly table_oid: number;
  readonly owner: string;
  readonly is_owner: boolean;
  readonly role_name: string;
  readonly key_column: string | null;
  readonly key_type: string | null;
  readonly has_default: boolean;
}

/** A table that is or was a partition. The oid is its identity; a name may be another's by now. */
export interface Partition {
  readonly table_oid: number;
  readonly schema_name: string;
  readonly table_name: string;
  /** `FOR VALUES FROM (…) TO (…)`. */
  readonly bounds: string;
  readonly byte_count: number;
}

export interface DropWork extends DropDependencies {
  readonly table: PartitionedTable;
  readonly warnings: string[];
}

export interface Pause {
  reason: string;
  seconds: number;
}

export interface DropPartitionsResult {
  /** Those that are past retention, oldest first. */
  partitions: PartitionResult[];
  /** Names of those that are kept because of a legal hold. */
  held: string[];
  /** Something is in the way; those that are not dropped yet wait for the next run. */
  pause?: Pause;
  warnings: string[];
}

/** How a step on one partition ended. */
export type StepOutcome =
  | { readonly state: 'done'; readonly rows: number | null }
  | { readonly state: 'kept'; readonly reason: string }
  | { readonly state: 'pause'; readonly pause: Pause };

export const partitionLimits = {
  /** What waits in front of ACCESS EXCLUSIVE keeps everybody else waiting as well; below deadlock_timeout, 1 s by default. */
  lockTimeoutMs: 200,
  /**
   * DETACH CONCURRENTLY waits with locks that stop no statement until older transactions of the table have ended, only its last
   * step takes ACCESS EXCLUSIVE, on the partition alone. What is not over then is ended by FINALIZE.
   */
  concurrentLockTimeoutMs: 500,
  /** A detach looks through the tables that reference the parent, and keeps their writers waiting; it gives way to them before. */
  detachTimeoutMs: 30_000,
  /** A statement is cancelled when somebody has waited for it for longer. */
  givesWayAfterMs: 200,
  attempts: 5,
  /** The first pause between two attempts; doubled each time, and off by a half by chance. */
  firstPauseMs: 100,
  /** Up to here rows are counted, in about 20 s from a disk of 200 MB/s; above, the server's estimate is told. */
  exactCountBytes: 4 * 1024 ** 3,
} as const;

/** Seconds after which another look is worth it: an open transaction ends in moments, a backup or a migration takes longer. */
export const LOOK_AGAIN_SECONDS = { transaction: 60, schemaLock: 300 } as const;

export function partitionResultOf(
  partition: Partition,
  state: PartitionResult['state'],
  { rows = null, reason = null }: { rows?: number | null; reason?: string | null } = {},
): PartitionResult {
  const { bounds, byte_count: bytes } = partition;
  return { table: nameOf(partition), bounds, bytes, rows, state, reason };
}

/** `app.event_2024`, for messages. */
export function nameOf({ schema_name, table_name }: Pick<Partition, 'schema_name' | 'table_name'>): string {
  return `${schema_name}.${table_name}`;
}
