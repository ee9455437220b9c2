// Makes the works of an erasure: for each table with rows of the person one, checked as that of a policy is. Deletes nothing.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { all, any, hasKey, leadsTo } from '../batch/conditions.ts';
import type { Parameters } from '../batch/parameters.ts';
import type { PurgeSubject } from '../contract.ts';
import { inTransaction } from '../in-transaction.ts';
import { parseKey, requireKeys } from '../keep/read-holds.ts';
import { findTable } from '../links/find-table.ts';
import type { LinkGraph } from '../links/link-graph.ts';
import type { TableFacts } from '../links/read-tables.ts';
import { knownTables } from '../policy/known-tables.ts';
import { assignmentsOf, checkExpressions, keyOrder, type PreparedRows, readFamily } from '../policy/prepare-rows.ts';
import { type RetentionPolicy, readPolicies } from '../policy/read-policies.ts';
import { type ErasureTable, erasureTables } from './erasure-tables.ts';

export interface PreparedErasure {
  /** The name of its run: `erasure:<reference>`. */
  readonly name: string;
  readonly table: TableFacts;
  /** Those first whose rows must go first; the person's own table last. */
  readonly works: readonly PreparedRows[];
}

/** Throws `purge.refused` for a table that is not there or not the only one, and for whatever stands in the way of a table. */
export async function prepareErasure(
  session: DatabaseSession,
  graph: LinkGraph,
  subject: PurgeSubject,
): Promise<PreparedErasure> {
  const name = `erasure:${subject.reference}`;
  const known = knownTables();
  const oid = await findTable(session, subject, 'the table whose row stands for the person');
  const tables = erasureTables(graph, oid);
  if ('cycle' in tables) {
    await known.learn(session, tables.cycle);
    const path = tables.cycle.map((one) => known.tables.get(one)?.label ?? one).join(' → ');
    throw refuse(
      `the tables with rows of the person reference each other in a circle, so none can go first: ${path}`,
      'break the circle by a migration, as with ON DELETE SET NULL',
    );
  }
  await known.learn(session, [
    ...tables.map((table) => table.oid),
    ...tables.flatMap(({ ways }) => ways.flat().map(({ link }) => link.parentOid)),
  ]);
  const table = known.tables.get(oid);
  if (table === undefined) throw new RangeError('a table that was found is gone');
  const key = parseKey(table, subject.key, 'the subject');
  await inTransaction(session, 'begin', async () => await requireKeys(session, table, [key], 'the subject'));
  const policies = await readAnonymising(session);
  const works: PreparedRows[] = [];
  for (const one of tables) {
    const facts = known.tables.get(one.oid);
    if (facts === undefined) continue;
    const policy = policies.find(({ table_oid: policyTable }) => policyTable === one.oid);
    if (policy !== undefined) await checkExpressions(session, policy, facts);
    const changed = policy && [...Object.keys(policy.anonymise ?? {}), policy.marker_column ?? ''];
    const { family, warnings } = await readFamily(session, graph, known, { table: facts, changed, name });
    works.push({
      known,
      warnings,
      work: {
        table: facts,
        family,
        graph,
        tables: known.tables,
        isDated: false,
        countsAs: one.oid === oid ? 'rows' : 'children',
        order: keyOrder(facts),
        scope: (parameters) => scopeOf(one, { subject: table, key, policy }, known.tables, parameters),
        action: policy === undefined ? 'delete' : 'anonymise',
        assignments: policy && assignmentsOf(policy),
      },
    });
  }
  return { name, table, works };
}

function scopeOf(
  { ways }: ErasureTable,
  { subject, key, policy }: { subject: TableFacts; key: readonly string[]; policy: RetentionPolicy | undefined },
  tables: ReadonlyMap<string, TableFacts>,
  parameters: Parameters,
): string {
  const isTheirs =
    ways.length === 0
      ? hasKey(subject, 't', [key], parameters)
      : any(ways.map((way) => leadsTo(tables, way, 't', [key], parameters)));
  const marker = policy?.marker_column ?? undefined;
  return all([isTheirs, marker === undefined ? 'true' : `t.${quoteIdentifier(marker)} is null`]);
}

/** How tables are anonymised: an erasure keeps their rows and does the same to them. */
async function readAnonymising(session: DatabaseSession): Promise<RetentionPolicy[]> {
  return (await readPolicies(session, undefined)).filter(({ action }) => action === 'anonymise');
}

function refuse(problem: string, hint: string): JobFailure {
  return new JobFailure({ code: 'purge.refused', problem, safeState: 'Nothing was deleted', hint });
}
