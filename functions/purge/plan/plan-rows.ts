// What a run of a policy would do: counts and estimates only, nothing is locked or written. The end of a dry run.
import type { DatabaseSession } from '../../shared/database.ts';
import { LOCK_NOT_AVAILABLE, sqlState } from '../../shared/postgres-errors.ts';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { tableOf } from '../batch/conditions.ts';
import { render } from '../batch/render.ts';
import type { RowWork } from '../batch/row-work.ts';
import { countRows, type RowCounts } from '../batch/run-rows.ts';
import { countChildrenStatement, type Statement, takeStatement } from '../batch/statements.ts';
import type { PolicyPlan } from '../contract.ts';
import { inTransaction } from '../in-transaction.ts';
import type { HoldsInPlay } from '../keep/held-condition.ts';
import type { FamilyNode } from '../links/family.ts';

/**
 * WAL of a deleted row beside the row's index entries: its delete record with the lock record before it.
 *
 * Measured: 442 MB for 2 million rows with three indexes in batches, of which 110 MB are the locks of FOR UPDATE.
 */
const WAL_PER_ROW = 221;
/** An update writes the new row as well. */
const WAL_PER_UPDATE = 300;

export interface RowsPlan {
  readonly counts: RowCounts;
  readonly plan: PolicyPlan;
}

interface Planning {
  readonly work: RowWork;
  /** The timestamp column; absent for an erasure. */
  readonly timestamp: string | undefined;
  readonly batchRows: number;
  readonly readHolds: (session: DatabaseSession) => Promise<HoldsInPlay>;
  readonly countTimeoutMs: () => number;
}

/** The plan of one piece of work, at one moment for each of its counts. */
export async function planRows(session: DatabaseSession, planning: Planning): Promise<RowsPlan> {
  const { work } = planning;
  const counts = await countRows(session, work, planning);
  const children: PolicyPlan['children'] = [];
  if (work.action === 'delete') {
    for (const way of waysOf(work.family.top.children)) children.push(await planChild(session, work, way));
    for (const { link } of [...work.family.top.blockers, ...work.family.top.selfLinks]) {
      const { label } = tableOf(work.tables, link.childOid);
      const path = [work.table.label, label];
      children.push({ table: label, constraint: link.name, path, action: 'keeps its parent', rows: null });
    }
  }
  const free = Math.max(0, counts.rows - counts.held - counts.referenced);
  const gone = free + children.reduce((sum, child) => sum + (child.rows ?? 0), 0);
  const bytesPerRow = work.table.estimated_rows > 0 ? work.table.bytes / work.table.estimated_rows : 0;
  const rate = await readRate(session, work);
  return {
    counts,
    plan: {
      rows: counts.rows,
      bytes: Math.round(counts.rows * bytesPerRow),
      undated: planning.timestamp === undefined ? 0 : await countUndated(session, work, planning.timestamp),
      children,
      estimatedBatches: Math.ceil(free / planning.batchRows),
      estimatedSeconds: rate === undefined ? null : Math.ceil(gone / rate),
      estimatedWalBytes: Math.round(gone * (work.action === 'delete' ? WAL_PER_ROW : WAL_PER_UPDATE + bytesPerRow)),
      reads: await describeReading(session, planning),
    },
  };
}

function waysOf(children: readonly FamilyNode[], above: readonly FamilyNode[] = []): (readonly FamilyNode[])[] {
  return children.flatMap((child) => {
    const way = [...above, child];
    return [way, ...waysOf(child.children, way)];
  });
}

async function planChild(
  session: DatabaseSession,
  work: RowWork,
  way: readonly FamilyNode[],
): Promise<PolicyPlan['children'][number]> {
  const node = way.at(-1);
  if (node === undefined) throw new RangeError('a child has a way to the top');
  const rows = await ask<{ rows: number }>(session, countChildrenStatement(work, way));
  return {
    table: tableOf(work.tables, node.oid).label,
    constraint: node.applied.link.name,
    path: [work.table.label, ...way.map(({ oid }) => tableOf(work.tables, oid).label)],
    action: node.action === 'delete' ? 'deleted' : node.action,
    rows: rows?.rows ?? 0,
  };
}

async function countUndated(session: DatabaseSession, work: RowWork, timestamp: string): Promise<number> {
  const sql = render('count-undated.sql', { table: work.table.qualified, timestamp: quoteIdentifier(timestamp) });
  return (await ask<{ rows: number }>(session, { sql, values: [] }))?.rows ?? 0;
}

/** Rows of this table, those that went with them included, that the newest runs removed in a second. */
async function readRate(session: DatabaseSession, work: RowWork): Promise<number | undefined> {
  const values = [work.table.schema_name, work.table.table_name];
  const row = await ask<{ rate: number | null }>(session, { sql: readSqlFile('purge/rate.sql'), values });
  return row?.rate ?? undefined;
}

async function ask<Row>(session: DatabaseSession, { sql, values }: Statement): Promise<Row | undefined> {
  return await inTransaction(session, 'begin read only', async () => {
    const { rows } = await session.query<Row & Record<string, unknown>>(sql, values);
    return rows[0];
  });
}

interface ExplainNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: ExplainNode[];
}

async function explainChoice(
  session: DatabaseSession,
  { work, batchRows, readHolds }: Planning,
): Promise<ExplainNode | undefined> {
  return await inTransaction(session, 'begin', async () => {
    const choice = { holds: await readHolds(session), after: undefined, waits: false, limit: batchRows };
    const { sql, values } = takeStatement(work, choice, 'lock');
    const explain = render('explain.sql', { statement: sql });
    const { rows } = await session.query<{ 'QUERY PLAN': [{ Plan: ExplainNode }] }>(explain, values);
    return rows[0]?.['QUERY PLAN'][0].Plan;
  });
}

/** The nodes that read tables, as `Index Scan using event_created_at_idx on event`. */
async function describeReading(session: DatabaseSession, planning: Planning): Promise<string> {
  let nodes: ExplainNode | undefined;
  try {
    nodes = await explainChoice(session, planning);
  } catch (error) {
    // EXPLAIN takes the lock of the statement. A plan counts all the same, and the run waits for such a lock.
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    return 'could not be looked at: a lock on a table was not free in time';
  }
  const reads = (node: ExplainNode): string[] => {
    const table = node['Relation Name'];
    const index = node['Index Name'];
    const own = table === undefined ? [] : [`${node['Node Type']}${index ? ` using ${index}` : ''} on ${table}`];
    return [...own, ...(node.Plans ?? []).flatMap(reads)];
  };
  return nodes === undefined ? '' : [...new Set(reads(nodes))].join(', ');
}
