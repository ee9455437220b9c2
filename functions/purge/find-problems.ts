// The preconditions of a policy: everything that makes it unsafe or impossible to carry out. Pure.
import { quoteIdentifier, quoteQualified } from '../shared/quote-identifier.ts';
import type { RetentionPolicy } from './read-policies.ts';
import type { TableFacts } from './read-table-facts.ts';

/** Up to this size a scan without index takes well under a second; above it every batch would read the whole table. */
export const SMALL_TABLE_BYTES = 64 * 1024 * 1024;

const TIMESTAMP_TYPES = ['timestamp with time zone', 'timestamp without time zone', 'date'];

export interface PolicyProblem {
  problem: string;
  hint: string;
}

/** What stands in the way of the policy; empty when it may run. The order is that in which a person would fix them. */
export function findProblems(policy: RetentionPolicy, facts: TableFacts | undefined): PolicyProblem[] {
  const own = findPolicyProblems(policy);
  const table = `${policy.schema_name}.${policy.table_name}`;
  if (facts === undefined) {
    return [...own, { problem: `table "${table}" does not exist`, hint: 'correct the policy by a migration' }];
  }
  return [...own, ...findTableProblems(policy, facts), ...findRightProblems(policy, facts)];
}

function findPolicyProblems(policy: RetentionPolicy): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  if (policy.action !== 'delete') {
    problems.push({
      problem: `its action is "${policy.action}", this version carries out "delete" only`,
      hint: 'disable the policy, or change its action by a migration',
    });
  }
  if (policy.archive_before_delete) {
    problems.push({
      problem: 'it wants an archive before the delete, which this version does not make',
      hint: 'disable the policy until the archive is there; its rows stay',
    });
  }
  if (!policy.is_past) {
    problems.push({
      problem: `its retention period "${policy.retention}" gives the cutoff ${policy.cutoff}, which is not in the past`,
      hint: 'correct the retention period by a migration',
    });
  }
  if (policy.predicate !== null && /\$\d/.test(policy.predicate)) {
    problems.push({
      problem: 'its predicate has a parameter ($1 …), and those belong to the statements of purge',
      hint: 'write the value into the predicate by a migration',
    });
  }
  return problems;
}

function findTableProblems(policy: RetentionPolicy, facts: TableFacts): PolicyProblem[] {
  const table = `${policy.schema_name}.${policy.table_name}`;
  const column = policy.timestamp_column;
  const problems: PolicyProblem[] = [];
  if (facts.kind !== 'r' && facts.kind !== 'p') {
    problems.push({
      problem: `"${table}" is no table (pg_class.relkind "${facts.kind}")`,
      hint: 'name the table itself',
    });
  }
  if (facts.column_type === null) {
    problems.push({
      problem: `column "${column}" does not exist in "${table}"`,
      hint: 'correct the policy by a migration',
    });
  } else if (!TIMESTAMP_TYPES.includes(facts.column_type)) {
    problems.push({
      problem: `column "${column}" of "${table}" has type ${facts.column_type}; it must be ${TIMESTAMP_TYPES.join(', ')}`,
      hint: 'name a column that holds the time of the row',
    });
  }
  const arrayKey = facts.key_columns.find(({ type }) => type.endsWith(']'));
  if (facts.key_columns.length === 0 || arrayKey !== undefined) {
    problems.push({
      problem: `"${table}" has no primary key${arrayKey === undefined ? '' : ' without arrays'}, so a batch cannot name its rows`,
      hint: 'add a primary key by a migration',
    });
  }
  if (facts.column_type !== null && !facts.has_index && facts.bytes > SMALL_TABLE_BYTES) {
    problems.push({
      problem: `"${table}" has ${Math.round(facts.bytes / 1024 / 1024)} MiB and no index that begins with "${column}", so each batch would read all of it (allowed without: ${SMALL_TABLE_BYTES / 1024 / 1024} MiB)`,
      hint: `create index concurrently on ${quoteQualified(policy.schema_name, policy.table_name)} (${quoteIdentifier(column)})`,
    });
  }
  return problems;
}

function findRightProblems(policy: RetentionPolicy, facts: TableFacts): PolicyProblem[] {
  const qualified = quoteQualified(policy.schema_name, policy.table_name);
  const role = quoteIdentifier(facts.role_name);
  const problems: PolicyProblem[] = [];
  const missing = [
    facts.may_select ? undefined : 'select',
    facts.may_delete ? undefined : 'delete',
    facts.may_lock ? undefined : `update (${quoteIdentifier(policy.timestamp_column)})`,
  ].filter((right) => right !== undefined);
  if (missing.length > 0) {
    problems.push({
      problem: `role "${facts.role_name}" lacks ${missing.join(', ')} on ${qualified} (locking a row asks for update on one column)`,
      hint: `grant ${missing.join(', ')} on ${qualified} to ${role}`,
    });
  }
  if (facts.row_security_cuts) {
    problems.push({
      problem: `row level security hides rows of ${qualified} from role "${facts.role_name}", so rows past retention would stay unseen`,
      hint: `alter role ${role} bypassrls (on RDS as rds_superuser)`,
    });
  }
  return problems;
}
