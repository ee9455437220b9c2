// Asks the server whether purge should go on now: somebody has said stop, a replica or a slot is behind, VACUUM is at work on the
// table. Called between batches, outside of a transaction.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeBytes } from '../../shared/describe-amounts.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import { INSUFFICIENT_PRIVILEGE, sqlState, UNDEFINED_TABLE } from '../../shared/postgres-errors.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { LOOK_AGAIN_SECONDS, type PressureLimits } from './pressure-limits.ts';

export type Pressure =
  | { readonly state: 'none' }
  /** The server needs a rest; it is worth to look again after `seconds`. */
  | { readonly state: 'pause'; readonly reason: string; readonly seconds: number }
  /** A person has said stop, and has to lift that. */
  | { readonly state: 'stop'; readonly reason: string };

export interface PressureReading {
  readonly pressure: Pressure;
  /** What could not be read, and so is no "none". */
  readonly warnings: readonly string[];
}

interface Replica {
  readonly name: string;
  readonly seconds: number | null;
  readonly bytes?: number | null;
}

interface PressureRow {
  reads_all_stats: boolean;
  is_aurora: boolean;
  stop: { reason: string; by: string; since: string } | null;
  replicas: Replica[];
  slots: { name: string; isActive: boolean; bytes: number }[];
  vacuums: { table: string; isAutomatic: boolean; phase: string; part: number | null; processId: number }[];
}

interface Wait {
  readonly reason: string;
  readonly seconds: number;
}

/**
 * The pressure on the server now, with its numbers.
 *
 * One round trip, on Aurora two. Throws `purge.refused` when the stop flag cannot be read: whoever said stop must be heard.
 */
export async function readPressure(
  session: DatabaseSession,
  { tableOids, limits }: { tableOids: readonly number[]; limits: PressureLimits },
): Promise<PressureReading> {
  const row = await readRow(session, tableOids);
  const warnings: string[] = [];
  if (!row.reads_all_stats) {
    warnings.push(
      'the lag of replicas and a VACUUM on the table are not seen: the role of purge is no member of pg_read_all_stats; grant pg_read_all_stats to it',
    );
  }
  if (row.stop !== null) {
    const { by, reason, since } = row.stop;
    return { pressure: { state: 'stop', reason: `stopped by ${by} since ${since}: ${reason}` }, warnings };
  }
  const readers = row.is_aurora ? await readAuroraReaders(session, warnings) : [];
  const waits = [
    ...row.replicas.flatMap((replica) => waitForReplica(replica, limits.replicaLagSeconds, limits.replicaLagBytes)),
    ...readers.flatMap((reader) => waitForReplica(reader, limits.auroraLagSeconds, Number.POSITIVE_INFINITY)),
    ...row.slots.flatMap((slot) => waitForSlot(slot, limits.slotBytes)),
    ...row.vacuums.map(waitForVacuum),
  ];
  if (waits.length === 0) return { pressure: { state: 'none' }, warnings };
  return {
    pressure: {
      state: 'pause',
      reason: waits.map(({ reason }) => reason).join('; '),
      seconds: Math.max(...waits.map(({ seconds }) => seconds)),
    },
    warnings,
  };
}

async function readRow(session: DatabaseSession, tableOids: readonly number[]): Promise<PressureRow> {
  try {
    const { rows } = await session.query<PressureRow & Record<string, unknown>>(
      readSqlFile('purge/pressure.sql'),
      [tableOids],
      { prepareAs: 'purge-pressure' },
    );
    const [row] = rows;
    if (row === undefined) throw new RangeError('the server answered without a row');
    return row;
  } catch (error) {
    if (![UNDEFINED_TABLE, INSUFFICIENT_PRIVILEGE].includes(sqlState(error) ?? '')) throw error;
    throw new JobFailure({
      code: 'purge.refused',
      problem: `it cannot be told whether somebody has stopped purge: ${describeError(error)}`,
      safeState: 'No further batch was begun; what was done before stays done',
      hint: 'run bootstrap and migrate, which create nightshift.purge_stop and its grants',
      cause: error,
    });
  }
}

async function readAuroraReaders(session: DatabaseSession, warnings: string[]): Promise<Replica[]> {
  try {
    return (await session.query<Replica & Record<string, unknown>>(readSqlFile('purge/pressure-aurora.sql'))).rows;
  } catch (error) {
    // A missing right, or columns that a later version of Aurora names otherwise; a lost session fails at the next statement.
    if (sqlState(error)?.startsWith('42') !== true) throw error;
    warnings.push(`the lag of the Aurora readers is not seen: ${describeError(error)}`);
    return [];
  }
}

function waitForReplica({ name, seconds, bytes }: Replica, limitSeconds: number, limitBytes: number): Wait[] {
  const isLate = seconds !== null && seconds > limitSeconds;
  const isFar = typeof bytes === 'number' && bytes > limitBytes;
  if (!isLate && !isFar) return [];
  const behind = [
    ...(isLate ? [`${seconds.toFixed(1)} s behind (limit ${limitSeconds} s)`] : []),
    ...(isFar ? [`${describeBytes(bytes)} of WAL behind (limit ${describeBytes(limitBytes)})`] : []),
  ];
  return [{ reason: `replica "${name}" is ${behind.join(' and ')}`, seconds: LOOK_AGAIN_SECONDS.replica }];
}

function waitForSlot({ name, isActive, bytes }: PressureRow['slots'][number], limitBytes: number): Wait[] {
  if (bytes <= limitBytes) return [];
  const kept = `${describeBytes(bytes)} of WAL (limit ${describeBytes(limitBytes)})`;
  return [
    {
      reason: `replication slot "${name}" (${isActive ? 'active' : 'inactive'}) keeps ${kept}`,
      seconds: LOOK_AGAIN_SECONDS.slot,
    },
  ];
}

function waitForVacuum({ table, isAutomatic, phase, part, processId }: PressureRow['vacuums'][number]): Wait {
  const progress = part === null ? phase : `${phase}, ${Math.round(part * 100)}%`;
  return {
    reason: `${isAutomatic ? 'autovacuum' : 'VACUUM'} is at work on "${table}" (pid ${processId}, ${progress})`,
    seconds: LOOK_AGAIN_SECONDS.vacuum,
  };
}
