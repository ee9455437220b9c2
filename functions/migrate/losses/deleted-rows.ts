// How many rows a DELETE of a down file would remove: counted with its own condition where that can be cut out, else as the
// planner estimates it.
import type { DatabaseSession } from '../../shared/database.ts';
import { migrationParser } from '../../shared/migration-parser.ts';
import type { MigrationStatement } from '../../shared/migration-statements.ts';
import { type CountedRows, countRows, inReadOnly } from './count-rows.ts';

/** Its figures now, before the statements in front of it have run. */
export async function deletedRows(
  session: DatabaseSession,
  statement: MigrationStatement,
): Promise<CountedRows & { estimatedRows: number | null }> {
  const from = await sourceOf(statement);
  const counted: CountedRows =
    from === undefined
      ? { rows: null, reason: 'it joins other tables' }
      : await countRows(session, `select count(*) as rows from ${from}`);
  if (counted.rows !== null) return { ...counted, estimatedRows: null };
  return { ...counted, estimatedRows: await plannedRows(session, statement) };
}

/** The text behind FROM up to RETURNING: what a SELECT can read as well, unless the DELETE has a USING or a WITH. */
async function sourceOf({ text, tree }: MigrationStatement): Promise<string | undefined> {
  if (!('DeleteStmt' in tree) || tree.DeleteStmt.usingClause || tree.DeleteStmt.withClause) return undefined;
  const { scan } = await migrationParser();
  const { tokens } = await scan(text);
  const bytes = Buffer.from(text, 'utf8');
  let depth = 0;
  let start: number | undefined;
  for (const { text: word, start: at, end } of tokens) {
    if (word === '(') depth += 1;
    if (word === ')') depth -= 1;
    if (depth > 0) continue;
    // Reserved words: a name that reads so stands in quotes.
    if (word.toLowerCase() === 'from' && start === undefined) start = end;
    else if (word.toLowerCase() === 'returning') return bytes.subarray(start, at).toString('utf8');
  }
  return start === undefined ? undefined : bytes.subarray(start).toString('utf8');
}

interface Plan {
  'Plan Rows'?: number;
  Plans?: Plan[];
}

async function plannedRows(session: DatabaseSession, { text }: MigrationStatement): Promise<number | null> {
  const planned = await inReadOnly(session, async () => {
    const { rows } = await session.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(`explain (format json) ${text}`);
    // The DELETE itself answers no row; what it gets from below are those that it removes.
    return rows[0]?.['QUERY PLAN'][0]?.Plan.Plans?.[0]?.['Plan Rows'] ?? null;
  });
  return typeof planned === 'number' ? Math.round(planned) : null;
}
