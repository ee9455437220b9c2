// Removes a set of locked rows with everything that goes with them: locks the family from the top down, then deletes from the
// bottom up. What cannot go is found by halving, so one row that is kept costs no other. Runs inside a batch's transaction.
import type { DatabaseSession } from '../../shared/database.ts';
import { FOREIGN_KEY_VIOLATION, LOCK_NOT_AVAILABLE, sqlState } from '../../shared/postgres-errors.ts';
import { type HoldsInPlay, heldCondition } from '../keep/held-condition.ts';
import type { FamilyNode } from '../links/family.ts';
import type { AppliedLink } from '../links/link-graph.ts';
import type { TableFacts } from '../links/read-tables.ts';
import { childRows, tableOf } from './conditions.ts';
import { createParameters } from './parameters.ts';
import { render } from './render.ts';
import { halvesOf, rowSetOf, type SetRow, unionOf, without } from './row-set.ts';
import type { RowSet, RowWork } from './row-work.ts';
import {
  changeStatement,
  deleteStatement,
  isInSet,
  keepReferencedBySelfStatement,
  lockChildrenStatement,
  type Statement,
  unlinkAssignments,
} from './statements.ts';

/** ON DELETE RESTRICT has a code of its own since PostgreSQL 18. */
export const RESTRICT_VIOLATION = '23001';

export interface RemovedRows {
  /** Rows of the table itself. */
  done: number;
  /** Rows of other tables, by `schema.table`. */
  children: Map<string, { deleted: number; changed: number }>;
  /** Rows that stay because another row references them. */
  referenced: number;
  /** Rows that stay because one that would go with them is held, which only the locked rows could show. */
  held: number;
  /** Rows that stay because one that would go with them is locked or kept by a trigger. */
  other: number;
}

/** A row that should have gone is still there, or must not go: nothing of its set may go. */
class RowKept extends Error {
  override readonly name = 'RowKept';
  readonly why: 'held' | 'other';

  constructor(why: RowKept['why']) {
    super('a row of the set must stay');
    this.why = why;
  }
}

const NOTHING = { done: 0, referenced: 0, held: 0, other: 0 };

/** Removes what it can; only an error that is no row's own is thrown. */
export async function removeRows(
  session: DatabaseSession,
  work: RowWork,
  holds: HoldsInPlay,
  set: RowSet,
): Promise<RemovedRows> {
  if (set.rows === 0) return { ...NOTHING, children: new Map() };
  await session.query('savepoint rows');
  try {
    const removed = await tryToRemove(session, work, holds, set);
    await session.query('release savepoint rows');
    return removed;
  } catch (error) {
    const state = sqlState(error);
    const isReferenced = state === FOREIGN_KEY_VIOLATION || state === RESTRICT_VIOLATION;
    if (!isReferenced && state !== LOCK_NOT_AVAILABLE && !(error instanceof RowKept)) throw error;
    await session.query('rollback to savepoint rows');
    await session.query('release savepoint rows');
    const why = isReferenced ? 'referenced' : error instanceof RowKept ? error.why : 'other';
    if (set.rows === 1) return { ...NOTHING, children: new Map(), [why]: 1 };
  }
  const [first, second] = halvesOf(set);
  return sum(await removeRows(session, work, holds, first), await removeRows(session, work, holds, second));
}

function sum(one: RemovedRows, other: RemovedRows): RemovedRows {
  const children = new Map(one.children);
  for (const [table, { deleted, changed }] of other.children) count(children, table, { deleted, changed });
  return {
    done: one.done + other.done,
    children,
    referenced: one.referenced + other.referenced,
    held: one.held + other.held,
    other: one.other + other.other,
  };
}

function count(children: RemovedRows['children'], table: string, more: { deleted?: number; changed?: number }): void {
  const known = children.get(table) ?? { deleted: 0, changed: 0 };
  children.set(table, {
    deleted: known.deleted + (more.deleted ?? 0),
    changed: known.changed + (more.changed ?? 0),
  });
}

interface Locked {
  /** By table, the top included. */
  readonly toDelete: Map<string, RowSet[]>;
  readonly toChange: { parent: string; applied: AppliedLink; action: 'set null' | 'set default'; set: RowSet }[];
}

async function tryToRemove(
  session: DatabaseSession,
  work: RowWork,
  holds: HoldsInPlay,
  wanted: RowSet,
): Promise<RemovedRows> {
  const children: RemovedRows['children'] = new Map();
  if (work.action === 'anonymise') {
    const { rowCount } = await run(session, changeStatement(work.table, wanted, work.assignments ?? ''));
    return { ...NOTHING, done: rowCount, children, other: wanted.rows - rowCount };
  }
  const set = await leaveReferencedBySelf(session, work, wanted);
  const referenced = wanted.rows - set.rows;
  if (set.rows === 0) return { ...NOTHING, children, referenced };

  const locked: Locked = { toDelete: new Map([[work.table.table_oid, [set]]]), toChange: [] };
  await lockChildren(session, { work, holds, locked }, work.family.top, set);
  let done = 0;
  for (const oid of work.family.order) {
    const table = tableOf(work.tables, oid);
    for (const change of locked.toChange.filter(({ parent }) => parent === oid)) {
      const child = tableOf(work.tables, change.applied.link.childOid);
      const assignments = unlinkAssignments(change.applied, change.action);
      // Of a table that references itself some rows go in this very step: they must be where they were locked.
      const staying = without(change.set, unionOf(locked.toDelete.get(child.table_oid) ?? []));
      const { rowCount } = await run(session, changeStatement(child, staying, assignments));
      count(children, child.label, { changed: rowCount });
    }
    const sets = locked.toDelete.get(oid);
    if (sets === undefined) continue;
    const all = unionOf(sets);
    const deleted = await deleteRows(session, work, table, all);
    const isTop = oid === work.table.table_oid;
    // A trigger has kept a row. Alone that is its right; but where others go with it, the rest of the family would be torn.
    if (deleted < all.rows && (!isTop || locked.toDelete.size + locked.toChange.length > 1)) throw new RowKept('other');
    if (isTop) done = deleted;
    else count(children, table.label, { deleted });
  }
  return { done, children, referenced, held: 0, other: set.rows - done };
}

/** A row stays while another one of its table, which does not go in the same statement, references it. */
async function leaveReferencedBySelf(session: DatabaseSession, work: RowWork, wanted: RowSet): Promise<RowSet> {
  let set = wanted;
  for (let before = -1; before !== set.rows; ) {
    before = set.rows;
    for (const applied of work.family.top.selfLinks) {
      if (set.rows === 0) return set;
      set = await ask(session, keepReferencedBySelfStatement(work.tables, work.table, applied, set));
    }
  }
  return set;
}

interface Locking {
  readonly work: RowWork;
  readonly holds: HoldsInPlay;
  readonly locked: Locked;
}

async function lockChildren(
  session: DatabaseSession,
  locking: Locking,
  node: Pick<FamilyNode, 'oid' | 'children'>,
  parents: RowSet,
): Promise<void> {
  const { work, locked } = locking;
  const parent = tableOf(work.tables, node.oid);
  for (const child of node.children) {
    const table = tableOf(work.tables, child.oid);
    let set = await ask(session, lockChildrenStatement(work.tables, parent, child.applied, parents));
    if (set.rows === 0) continue;
    if (child.action === 'delete') {
      for (const self of child.selfLinks.filter(({ link }) => link.onDelete === 'cascade')) {
        set = await withOwnChildren(session, locking, { table, self }, set);
      }
    }
    await refuseHeld(session, locking, child, table, set);
    if (child.action === 'delete') {
      await lockUnlinked(session, locking, child, set);
      locked.toDelete.set(child.oid, [...(locked.toDelete.get(child.oid) ?? []), set]);
      await lockChildren(session, locking, child, set);
    } else {
      locked.toChange.push({ parent: node.oid, applied: child.applied, action: child.action, set });
    }
  }
}

/** The rows and those of the same table that their own cascade would take, over any number of steps. */
async function withOwnChildren(
  session: DatabaseSession,
  { work }: Locking,
  { table, self }: { table: TableFacts; self: AppliedLink },
  from: RowSet,
): Promise<RowSet> {
  let all = from;
  let newest = from;
  while (newest.rows > 0) {
    newest = without(await ask(session, lockChildrenStatement(work.tables, table, self, newest)), all);
    all = unionOf([all, newest]);
  }
  return all;
}

/** Rows of the same table that stay, and lose their reference to one that goes. */
async function lockUnlinked(
  session: DatabaseSession,
  locking: Locking,
  node: FamilyNode,
  going: RowSet,
): Promise<void> {
  const { work, locked } = locking;
  const table = tableOf(work.tables, node.oid);
  for (const applied of node.selfLinks) {
    const { onDelete: action } = applied.link;
    if (action !== 'set null' && action !== 'set default') continue;
    const set = without(await ask(session, lockChildrenStatement(work.tables, table, applied, going)), going);
    if (set.rows === 0) continue;
    await refuseHeld(session, locking, node, tableOf(work.tables, applied.link.childOid), set);
    locked.toChange.push({ parent: node.oid, applied, action, set });
  }
}

/** A held row that came after the batch had chosen: no row may take it with it. */
async function refuseHeld(
  session: DatabaseSession,
  { holds }: Locking,
  node: FamilyNode,
  table: TableFacts,
  set: RowSet,
): Promise<void> {
  const parameters = createParameters();
  const held = heldCondition(holds, { oid: node.oid, children: [] }, 'c', parameters);
  if (held === 'false') return;
  const condition = `(${isInSet(table, 'c', set, parameters)}) and (${held})`;
  const { rows } = await session.query<{ rows: number }>(
    render('count-children.sql', { child: childRows(table), condition }),
    parameters.values,
  );
  if ((rows[0]?.rows ?? 0) > 0) throw new RowKept('held');
}

async function deleteRows(session: DatabaseSession, work: RowWork, table: TableFacts, set: RowSet): Promise<number> {
  if (work.archive !== undefined) return await work.archive(table, set);
  return (await run(session, deleteStatement(table, set))).rowCount;
}

async function ask(session: DatabaseSession, { sql, values }: Statement): Promise<RowSet> {
  const { rows } = await session.query<SetRow & Record<string, unknown>>(sql, values);
  return rowSetOf(rows[0]);
}

async function run(session: DatabaseSession, { sql, values }: Statement): Promise<{ rowCount: number }> {
  return await session.query(sql, values);
}
