// Builds the statements of one policy from the templates in sql/purge/: names from the catalog, quoted; values never.
import { quoteIdentifier, quoteQualified } from '../shared/quote-identifier.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { RetentionPolicy } from './read-policies.ts';
import type { TableFacts } from './read-table-facts.ts';

export interface PurgeStatements {
  checkPredicate: string | null;
  count: string;
  /** `isFirst`: from the oldest row, else after a position; `waits`: for locked rows, else passes them over. */
  choose(how: { isFirst: boolean; waits: boolean }): string;
  delete: string;
}

/**
 * The statements for a policy whose preconditions hold.
 *
 * The predicate is the one text that is no name of the catalog. It cannot be a parameter, because a parameter is a
 * value and never a condition; it comes from a reviewed migration, and `checkPredicate` has the server prove that it is
 * a single boolean expression before any other statement contains it.
 */
export function buildStatements(policy: RetentionPolicy, facts: TableFacts): PurgeStatements {
  const keys = facts.key_columns.map(({ name, type }) => ({ name: quoteIdentifier(name), type }));
  const timestampType = facts.column_type ?? '';
  const names = {
    table: quoteQualified(policy.schema_name, policy.table_name),
    timestamp: quoteIdentifier(policy.timestamp_column),
    timestamp_type: timestampType,
    // The line breaks keep a `--` at the end of the predicate from hiding what follows.
    predicate: policy.predicate === null ? 'true' : `(\n${policy.predicate}\n)`,
    held: heldCondition(keys),
    keys: keys.map(({ name }) => `t.${name}`).join(', '),
    key_texts: keys.map(({ name }, index) => `t.${name}::text as key_${index + 1}`).join(',\n  '),
    key_arrays: keys.map(({ type }, index) => `$${index + 2}::${type}[]`).join(', '),
    key_aliases: keys.map((_, index) => `key_${index + 1}`).join(', '),
    key_matches: keys.map(({ name }, index) => `t.${name} = chosen.key_${index + 1}`).join('\n  and '),
  };
  const position = [timestampType, ...keys.map(({ type }) => type)];
  const after = `(t.${names.timestamp}, ${names.keys}) > (${position.map((type, index) => `$${index + 5}::${type}`).join(', ')})`;
  return {
    checkPredicate:
      policy.predicate === null
        ? null
        : render('purge/check-predicate.sql', { table: names.table, predicate: policy.predicate }),
    count: render('purge/count-rows.sql', names),
    choose: ({ isFirst, waits }) =>
      render('purge/choose-batch.sql', {
        ...names,
        after: isFirst ? 'true' : after,
        locking: waits ? '' : 'skip locked',
      }),
    delete: render('purge/delete-batch.sql', names),
  };
}

/** A hold names a row by its key, cast to the key's type so that '07' holds row 7. Only a single-column key can be named. */
function heldCondition(keys: readonly { name: string; type: string }[]): string {
  const [key] = keys;
  return key !== undefined && keys.length === 1
    ? `($2::boolean or t.${key.name} = any($3::${key.type}[]))`
    : '($2::boolean and $3::text[] is not null)';
}

function render(file: string, parts: Readonly<Record<string, string>>): string {
  // Comments of the file may speak of its placeholders; they are no part of the statement.
  const statement = readSqlFile(file).replaceAll(/^--.*\n/gm, '');
  return statement.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new RangeError(`"${file}" asks for {${name}}, which nothing gives`);
    return part;
  });
}
