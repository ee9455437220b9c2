// The hash that binds a run to a plan: three parts, so that a refusal can say which of them has moved.
import { createHash } from 'node:crypto';
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { readInventory } from '../../shared/read-inventory.ts';
import type { MigrateState } from '../engine/read-state.ts';

export const PLAN_HASH = /^[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{16}$/;
const PARTS = ['the files', 'what is applied', 'the live schema'] as const;
/** Hex digits of each part: 64 bits, against accidents. */
const DIGITS = 16;
/** Views are looked at under a lock; whoever has a stronger one for longer is a reason to wait. */
const LOCK_TIMEOUT_MS = 2_000;

/**
 * Of all files up to the newest that a run now would take, of the history, and of every definition in the live database.
 *
 * Throws `migrate.schema_unreadable` when somebody locks or changes what is read.
 */
export async function planHash(
  session: DatabaseSession,
  state: MigrateState,
  migrations: readonly Migration[],
): Promise<string> {
  const { halfDone, applied } = state;
  const files = [...applied, ...migrations].map(({ up }) => [up.file, up.checksum]);
  const history = [
    applied.map(({ number, up }) => [number, up.checksum]),
    halfDone === undefined ? null : [halfDone.migration.number, halfDone.direction, halfDone.statementsDone],
  ];
  await session.query('begin isolation level repeatable read read only');
  const { entries, problem } = await readInventory(session, { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: 0 });
  await session.query('rollback');
  if (entries === null) {
    throw new JobFailure({
      code: 'migrate.schema_unreadable',
      problem: `the live schema could not be read: ${problem ?? ''}`,
      safeState: 'No migration was run',
      hint: 'run it again when whoever locks or changes what is read has ended',
    });
  }
  // The product's own records move with every run; the definitions of its schema are bootstrap's business.
  const own = /^(?:[^"]*\s)?"nightshift"/;
  const schema = entries.filter(([, identity]) => !own.test(identity));
  return [files, history, schema].map(part).join('-');
}

function part(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, DIGITS);
}

/**
 * Throws `migrate.plan_moved` when the hash of now is not that of the plan, naming what has moved.
 *
 * In a later pass of the run that the plan was for, history and schema have moved by its own work; the files must be the same.
 */
export function requirePlan(planned: string, now: string, isLaterPass: boolean): void {
  const before = planned.split('-');
  const moved = now
    .split('-')
    .flatMap((one, index) => (one === before[index] || (isLaterPass && index > 0) ? [] : [PARTS[index] ?? '']));
  if (moved.length === 0) return;
  throw new JobFailure({
    code: 'migrate.plan_moved',
    problem: `since the plan ${planned} these have changed: ${moved.join(', ')}`,
    safeState: 'No migration was run',
    hint: 'plan again, and look at what is new',
  });
}
