// The preconditions of a policy: everything that makes it unsafe or impossible to carry out. Pure.
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import type { Tables } from '../batch/conditions.ts';
import { type Family, type FamilyNode, nodesOf } from '../links/family.ts';
import type { AppliedLink } from '../links/link-graph.ts';
import type { TableFacts } from '../links/read-tables.ts';
import type { RetentionPolicy } from './read-policies.ts';

/** Up to this size a scan without index takes well under a second; above it every batch would read the whole table. */
export const SMALL_TABLE_BYTES = 64 * 1024 * 1024;

const TIMESTAMP_TYPES = ['timestamp with time zone', 'timestamp without time zone', 'date'];

export interface PolicyProblem {
  problem: string;
  hint: string;
}

/** What the policy says that cannot be; empty when it may run. In the order in which a person would put it right. */
export function findPolicyProblems(policy: RetentionPolicy, table: TableFacts | undefined): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const add = (problem: string, hint: string) => void problems.push({ problem, hint });
  const correct = 'correct the policy by a migration';
  if (!policy.is_past) {
    add(
      `its retention period "${policy.retention}" gives the cutoff ${policy.cutoff}, which is not in the past`,
      'correct the retention period by a migration',
    );
  }
  if (policy.predicate !== null && /\$\d/.test(policy.predicate)) {
    add(
      'its predicate has a parameter ($1 …), and those belong to the statements of purge',
      'write the value into the predicate by a migration',
    );
  }
  if (table === undefined) {
    add(`table "${policy.schema_name}.${policy.table_name}" does not exist`, correct);
    return problems;
  }
  if (table.kind !== 'r' && table.kind !== 'p') {
    add(`"${table.label}" is no table (pg_class.relkind "${table.kind}")`, 'name the table itself');
  }
  const type = typeOf(table, policy.timestamp_column);
  if (type === undefined) {
    add(`column "${policy.timestamp_column}" does not exist in "${table.label}"`, correct);
  } else if (!TIMESTAMP_TYPES.some((one) => isType(type, one))) {
    add(
      `column "${policy.timestamp_column}" of "${table.label}" has type ${type}; it must be ${TIMESTAMP_TYPES.join(', ')}`,
      'name a column that holds the time of the row',
    );
  } else if (
    policy.action !== 'drop_partition' &&
    !table.leading_columns.includes(policy.timestamp_column) &&
    table.bytes > SMALL_TABLE_BYTES
  ) {
    const columns = [policy.timestamp_column, ...(table.key_columns ?? [])].map(quoteIdentifier).join(', ');
    add(
      `"${table.label}" has ${mebibytes(table)} and no index that begins with "${policy.timestamp_column}", so each batch would read all of it (allowed without: ${SMALL_TABLE_BYTES / 1024 / 1024} MiB)`,
      `create index concurrently on ${table.qualified} (${columns})`,
    );
  }
  for (const column of [...Object.keys(policy.anonymise ?? {}), policy.marker_column].filter((one) => one !== null)) {
    if (typeOf(table, column) === undefined) add(`column "${column}" does not exist in "${table.label}"`, correct);
  }
  return problems;
}

/** timestamp(3) with time zone is timestamp with time zone. */
function isType(type: string, wanted: string): boolean {
  return type.replace(/\(\d\)/, '') === wanted;
}

function typeOf(table: TableFacts, column: string): string | undefined {
  return table.columns.find(({ name }) => name === column)?.type;
}

/** What of the catalog stands in the way of removing, or with `changed` of changing, rows of the table and its family. */
export function findFamilyProblems(tables: Tables, family: Family, changed?: readonly string[]): PolicyProblem[] {
  const top = tables.get(family.top.oid);
  if (top === undefined) return [];
  if (changed !== undefined) {
    return [...findRightProblems(top, { update: changed }), ...findRowSecurityProblems(top)];
  }
  return [
    ...findRightProblems(top, { delete: true }),
    ...findRowSecurityProblems(top),
    ...findIndexProblems(tables, family.top),
    ...nodesOf(family.top).flatMap((node) => {
      const table = tables.get(node.oid);
      if (table === undefined) return [];
      const columns = node.applied.link.setColumns;
      return [
        ...findRightProblems(table, node.action === 'delete' ? { delete: true } : { update: columns }),
        ...findRowSecurityProblems(table),
        ...(node.action === 'delete' ? findIndexProblems(tables, node) : []),
      ];
    }),
  ];
}

function findRightProblems(
  table: TableFacts,
  needs: { delete?: boolean; update?: readonly string[] },
): PolicyProblem[] {
  const [anyColumn = ''] = table.key_columns ?? table.columns.map(({ name }) => name);
  const locked = needs.update ?? [anyColumn];
  const missing = [
    table.may_select ? [] : ['select'],
    needs.delete !== true || table.may_delete ? [] : ['delete'],
    // Any one column does for the lock.
    (needs.update === undefined ? table.may_lock : locked.every((column) => table.updatable.includes(column)))
      ? []
      : [`update (${locked.map(quoteIdentifier).join(', ')})`],
  ].flat();
  if (missing.length === 0) return [];
  return [
    {
      problem: `role "${table.role_name}" lacks ${missing.join(', ')} on ${table.qualified} (locking a row asks for update on one column)`,
      hint: `grant ${missing.join(', ')} on ${table.qualified} to ${quoteIdentifier(table.role_name)}`,
    },
  ];
}

function findRowSecurityProblems(table: TableFacts): PolicyProblem[] {
  if (!table.row_security_cuts || table.row_security_shows_all) return [];
  return [
    {
      problem: `row level security hides rows of ${table.qualified} from role "${table.role_name}", so rows past retention would stay unseen`,
      hint: `alter role ${quoteIdentifier(table.role_name)} bypassrls, or where that cannot be granted (RDS) give it policies for select, update and delete using (true) and no restrictive one`,
    },
  ];
}

/** Without an index each row that goes makes the server, or us, read the whole table that references it. */
function findIndexProblems(
  tables: Tables,
  node: Pick<FamilyNode, 'blockers' | 'children' | 'selfLinks'>,
): PolicyProblem[] {
  const applied: AppliedLink[] = [...node.blockers, ...node.selfLinks, ...node.children.map((child) => child.applied)];
  return applied.flatMap(({ link }) => {
    const child = tables.get(link.childOid);
    if (child === undefined || link.hasIndex || child.bytes <= SMALL_TABLE_BYTES) return [];
    return [
      {
        problem: `foreign key "${link.name}" of "${child.label}" (${mebibytes(child)}) has no index, so each deleted row would read all of it`,
        hint: `create index concurrently on ${child.qualified} (${link.childColumns.map(quoteIdentifier).join(', ')})`,
      },
    ];
  });
}

function mebibytes({ bytes }: TableFacts): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
