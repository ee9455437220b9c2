// The hash that binds a run to what was planned: the policies word for word, and the tables and foreign keys they act on.
import { createHash } from 'node:crypto';
import { JobFailure } from '../../shared/job-failure.ts';
import { tableOf } from '../batch/conditions.ts';
import type { RowWork } from '../batch/row-work.ts';
import { nodesOf } from '../links/family.ts';
import type { RetentionPolicy } from '../policy/read-policies.ts';

/** What a plan of rows was made on: the table, its columns, and what goes with its rows. Counts are no part of it. */
export function shapeOf(work: Pick<RowWork, 'table' | 'family' | 'tables' | 'action' | 'assignments'>): unknown {
  const nodes = nodesOf(work.family.top).map((node) => [
    tableOf(work.tables, node.oid).label,
    node.applied.link.name,
    node.action,
  ]);
  return [work.action, work.table.label, work.table.columns, work.table.key_columns, work.assignments ?? null, nodes];
}

/** 32 hex digits. Policies are hashed without the cutoff of this moment, which moves by itself. */
export function planHash(parts: readonly { policy: RetentionPolicy | undefined; shape: unknown }[]): string {
  const texts = parts.map(({ policy, shape }) => {
    if (policy === undefined) return [null, shape];
    const { cutoff: _cutoff, is_past: _isPast, table_oid: _oid, ...rest } = policy;
    return [rest, shape];
  });
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 32);
}

/** Throws `purge.refused` when the hash of now is not the planned one. */
export function requirePlan(planned: string, now: string): void {
  if (planned === now) return;
  throw new JobFailure({
    code: 'purge.refused',
    problem: `the plan ${planned} was made on other policies or tables than those of now, whose plan is ${now}`,
    safeState: 'Nothing was deleted',
    hint: 'make a new plan and look at it',
  });
}
