// Checks the preconditions of a policy that removes or changes rows, and makes the work of its batches. Deletes nothing.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import { isSessionLost, sqlState } from '../../shared/postgres-errors.ts';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { all, type Tables } from '../batch/conditions.ts';
import type { Parameters } from '../batch/parameters.ts';
import { render } from '../batch/render.ts';
import type { OrderColumn, RowWork } from '../batch/row-work.ts';
import { inTransaction } from '../in-transaction.ts';
import { type Family, familyOf } from '../links/family.ts';
import type { LinkGraph } from '../links/link-graph.ts';
import { columnType, type TableFacts } from '../links/read-tables.ts';
import { findFamilyProblems, findPolicyProblems, type PolicyProblem } from './find-problems.ts';
import { type KnownTables, knownTables, tablesOfFamily, withReadableBlockers } from './known-tables.ts';
import type { RetentionPolicy } from './read-policies.ts';

export interface PreparedRows {
  readonly work: Omit<RowWork, 'archive'>;
  readonly known: KnownTables;
  readonly warnings: readonly string[];
}

/** The work of a policy that may run; throws `purge.refused` naming everything that stands in its way. */
export async function prepareRows(
  session: DatabaseSession,
  graph: LinkGraph,
  policy: RetentionPolicy,
): Promise<PreparedRows> {
  const known = knownTables();
  if (policy.table_oid !== null) await known.learn(session, [policy.table_oid]);
  const table = known.tables.get(policy.table_oid ?? '');
  const wrong = findPolicyProblems(policy, table);
  if (table === undefined || wrong.length > 0) throw refuse(policy.name, wrong);
  const action = policy.action === 'anonymise' ? 'anonymise' : 'delete';
  const changed =
    action === 'anonymise' ? [...Object.keys(policy.anonymise ?? {}), policy.marker_column ?? ''] : undefined;
  const { family, warnings } = await readFamily(session, graph, known, { table, changed, name: policy.name });
  await checkExpressions(session, policy, table);
  const type = columnType(table, policy.timestamp_column);
  const timestamp = quoteIdentifier(policy.timestamp_column);
  return {
    known,
    warnings: [...warnings, ...placeWarnings(table)],
    work: {
      table,
      family,
      graph,
      tables: known.tables,
      action,
      isDated: true,
      countsAs: 'rows',
      order: [{ sql: `t.${timestamp}`, type }, ...keyOrder(table)],
      scope: (parameters) => policyScope(policy, type, parameters),
      assignments: action === 'anonymise' ? assignmentsOf(policy) : undefined,
    },
  };
}

interface FamilyOf {
  readonly table: TableFacts;
  /** The columns that are changed; absent: its rows are deleted. */
  readonly changed: readonly string[] | undefined;
  /** Of the policy, for messages. */
  readonly name: string;
}

/** The family of a table, with everything checked that the catalog can tell; throws `purge.refused`. */
export async function readFamily(
  session: DatabaseSession,
  graph: LinkGraph,
  known: KnownTables,
  { table, changed, name }: FamilyOf,
): Promise<{ family: Family; warnings: string[] }> {
  const found = familyOf(graph, table.table_oid);
  if ('cycle' in found) {
    await known.learn(session, found.cycle);
    const path = found.cycle.map((oid) => known.tables.get(oid)?.label ?? oid).join(' → ');
    throw refuse(name, [
      {
        problem: `its rows and those that go with them reference each other in a circle, so none can go first: ${path}`,
        hint: 'break the circle: make one of these foreign keys ON DELETE SET NULL to a table outside of it, or purge by hand',
      },
    ]);
  }
  await known.learn(session, tablesOfFamily(found));
  const { family, unreadable } = withReadableBlockers(found, known.tables);
  const problems = findFamilyProblems(known.tables, family, changed);
  if (problems.length > 0) throw refuse(name, problems);
  await useRowSecurity(session, known.tables);
  const warnings = unreadable.map(
    (label) =>
      `role "${table.role_name}" may not read ${label}, which references these rows: those that it keeps are found one by one, which is slow; grant select on it`,
  );
  return { family, warnings: changed === undefined ? warnings : [] };
}

/** `off` fails where row level security would hide a row; `on` only where the catalog proves that it hides none. */
async function useRowSecurity(session: DatabaseSession, tables: Tables): Promise<void> {
  const needsPolicies = [...tables.values()].some((table) => table.row_security_cuts && table.row_security_shows_all);
  await session.query(`set row_security = ${needsPolicies ? 'on' : 'off'}`);
}

function policyScope(policy: RetentionPolicy, type: string, parameters: Parameters): string {
  const timestamp = `t.${quoteIdentifier(policy.timestamp_column)}`;
  return all([
    `${timestamp} < ${parameters.add(policy.cutoff)}::${type}`,
    // Since for ever is no age.
    `${timestamp} > '-infinity'`,
    ...(policy.marker_column === null ? [] : [`t.${quoteIdentifier(policy.marker_column)} is null`]),
    // The predicate comes from a reviewed migration, and checkExpressions has let the server prove that it is one condition.
    // The line breaks keep a `--` at its end from hiding what follows.
    ...(policy.predicate === null ? [] : [`\n${policy.predicate}\n`]),
  ]);
}

/** The SET list of a policy that anonymises. */
export function assignmentsOf(policy: RetentionPolicy): string {
  const columns = Object.entries(policy.anonymise ?? {}).map(
    ([column, expression]) => `${quoteIdentifier(column)} = (\n${expression}\n)`,
  );
  return [...columns, `${quoteIdentifier(policy.marker_column ?? '')} = transaction_timestamp()`].join(', ');
}

/** The columns that tell one row from another, for the order of batches; without a key the place where the row lies. */
export function keyOrder(table: TableFacts): OrderColumn[] {
  if (table.key_columns !== null) {
    return table.key_columns.map((name) => ({ sql: `t.${quoteIdentifier(name)}`, type: columnType(table, name) }));
  }
  return [
    { sql: 't.tableoid', type: 'oid' },
    { sql: 't.ctid', type: 'tid' },
  ];
}

function placeWarnings(table: TableFacts): string[] {
  if (table.key_columns !== null) return [];
  return [
    `"${table.label}" has no primary key and no unique index without nulls: its rows are told apart by where they lie, and a legal hold can only be on the whole table`,
  ];
}

/** Has the server look at each text of the policy that becomes part of a statement; throws `purge.refused`. */
export async function checkExpressions(
  session: DatabaseSession,
  policy: RetentionPolicy,
  table: TableFacts,
): Promise<void> {
  const names = { table: table.qualified };
  const check = async (what: string, sql: string, values: readonly string[]) => {
    try {
      // The parameter brings the extended protocol, which takes one statement only.
      await inTransaction(session, 'begin read only', async () => await session.query(sql, values));
    } catch (error) {
      const state = sqlState(error);
      if (state === undefined || isSessionLost(error)) throw error;
      throw refuse(policy.name, [
        {
          problem: `the server does not accept ${what}: ${describeError(error)} (SQLSTATE ${state})`,
          hint: 'correct it by a migration; functions and types outside pg_catalog need their schema',
        },
      ]);
    }
  };
  const { predicate } = policy;
  if (predicate !== null) {
    const sql = render('check-expression.sql', {
      ...names,
      expression: predicate,
      type: 'boolean',
      as_condition: `(\n${predicate}\n)`,
    });
    await check('its predicate as one condition', sql, ['']);
  }
  for (const [column, expression] of Object.entries(policy.anonymise ?? {})) {
    const sql = render('check-expression.sql', {
      ...names,
      expression,
      type: columnType(table, column).replace(/\[\]$/, ''),
      // One argument is all that it takes.
      as_condition: `pg_typeof(\n${expression}\n) is not null`,
    });
    await check(`its expression for column "${column}"`, sql, ['']);
  }
  if (policy.action !== 'anonymise') return;
  const update = render('change-rows.sql', { ...names, assignments: assignmentsOf(policy), rows: '$1 <> $1' });
  await check('its expressions as new values of the columns', `explain ${update}`, ['']);
}

/** The refusal of a policy for these reasons. */
export function refuse(policy: string, problems: readonly PolicyProblem[]): JobFailure {
  return new JobFailure({
    code: 'purge.refused',
    problem: `policy "${policy}": ${problems.map(({ problem }) => problem).join('; ')}`,
    safeState: 'Nothing was deleted by this policy',
    hint: problems[0]?.hint ?? '',
  });
}
