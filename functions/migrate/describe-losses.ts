// What a reversal would remove, read from the statements and the catalog: for the dry run of down, and before down. Changes nothing.
// It is counted as long as that takes little time; else the server's estimate has to do.
import type { Node } from 'libpg-query';
import type { DatabaseSession } from '../shared/database.ts';
import type { Migration } from '../shared/migration-files.ts';
import { scriptOf } from '../shared/migration-run.ts';
import type { MigrationStatement } from '../shared/migration-statements.ts';
import { isSessionLost } from '../shared/postgres-errors.ts';
import { quoteIdentifier } from '../shared/quote-identifier.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { Loss } from './contract.ts';

/** Per table or column. Somebody waits for the answer, and a count reads the whole table. */
const LONGEST_COUNT_MS = 2_000;

/** Tables, columns and rows that the down files would remove, in order of the statements. */
export async function describeLosses(session: DatabaseSession, migrations: readonly Migration[]): Promise<Loss[]> {
  // Names are looked up as the migration itself would.
  await session.query('reset search_path');
  const losses: Loss[] = [];
  for (const migration of migrations) {
    for (const statement of scriptOf(migration, 'down').statements)
      losses.push(...(await lossesOf(session, statement)));
  }
  return losses;
}

async function lossesOf(session: DatabaseSession, statement: MigrationStatement): Promise<Loss[]> {
  const { tree, firstLine } = statement;
  if ('DropStmt' in tree) {
    const { removeType, objects = [], behavior } = tree.DropStmt;
    if (removeType === 'OBJECT_TABLE' || removeType === 'OBJECT_MATVIEW') {
      return await tableLosses(session, firstLine, objects.map(nameOf));
    }
    if (removeType === 'OBJECT_SCHEMA' && behavior === 'DROP_CASCADE') {
      return await schemaLosses(
        session,
        firstLine,
        objects.map((object) => nameOf(object).at(-1) ?? ''),
      );
    }
  }
  if ('TruncateStmt' in tree)
    return await tableLosses(session, firstLine, (tree.TruncateStmt.relations ?? []).map(nameOf));
  if ('DeleteStmt' in tree && tree.DeleteStmt.relation) {
    const { schemaname, relname } = tree.DeleteStmt.relation;
    const name = [schemaname, relname].filter((part) => part !== undefined).join('.');
    return [{ object: `rows of ${name}`, lostBy: firstLine, counted: null, estimatedRows: null, bytes: null }];
  }
  if ('AlterTableStmt' in tree && tree.AlterTableStmt.relation) {
    const { schemaname, relname } = tree.AlterTableStmt.relation;
    const table = [schemaname, relname].filter((part) => part !== undefined);
    const columns = (tree.AlterTableStmt.cmds ?? []).flatMap((command) =>
      'AlterTableCmd' in command && command.AlterTableCmd.subtype === 'AT_DropColumn'
        ? [command.AlterTableCmd.name ?? '']
        : [],
    );
    if (columns.length === 0) return [];
    const [found] = await sizesOf(session, [table]);
    const losses: Loss[] = [];
    for (const column of columns) {
      losses.push({
        object: `column ${[...table, column].join('.')}`,
        lostBy: firstLine,
        counted: found === undefined ? null : await count(session, `count(${quoteIdentifier(column)})`, found.name),
        estimatedRows: numberOf(found?.estimated_rows),
        bytes: null,
      });
    }
    return losses;
  }
  return [];
}

async function tableLosses(
  session: DatabaseSession,
  lostBy: string,
  names: readonly (readonly string[])[],
): Promise<Loss[]> {
  return await asLosses(session, lostBy, await sizesOf(session, names));
}

async function schemaLosses(session: DatabaseSession, lostBy: string, schemas: readonly string[]): Promise<Loss[]> {
  const { rows } = await session.query<SizeRow>(readSqlFile('session/schema-table-sizes.sql'), [schemas]);
  return await asLosses(session, lostBy, rows);
}

interface SizeRow {
  /** As in SQL. */
  name: string;
  estimated_rows: string | null;
  bytes: string | null;
}

async function sizesOf(session: DatabaseSession, names: readonly (readonly string[])[]): Promise<SizeRow[]> {
  const { rows } = await session.query<SizeRow>(readSqlFile('session/table-sizes.sql'), [
    names.map((name) => name.at(-2) ?? null),
    names.map((name) => name.at(-1) ?? ''),
  ]);
  return rows;
}

async function asLosses(session: DatabaseSession, lostBy: string, rows: readonly SizeRow[]): Promise<Loss[]> {
  const losses: Loss[] = [];
  for (const { name, estimated_rows: estimated, bytes } of rows) {
    const counted = await count(session, 'count(*)', name);
    const estimatedRows = numberOf(estimated);
    losses.push({ object: `table ${name}`, lostBy, counted, estimatedRows, bytes: numberOf(bytes) });
  }
  return losses;
}

/** What is there, or null when it takes too long or this role may not look. */
async function count(session: DatabaseSession, what: string, table: string): Promise<number | null> {
  await session.query(`begin read only; set local statement_timeout = ${LONGEST_COUNT_MS}`);
  try {
    const { rows } = await session.query<{ counted: string }>(`select ${what} as counted from ${table}`);
    return numberOf(rows[0]?.counted);
  } catch (error) {
    if (isSessionLost(error)) throw error;
    return null;
  } finally {
    await session.query('rollback');
  }
}

function numberOf(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}

/** `drops column users.locked_until: 1,204 non-null values`, `empties table shop.orders: about 500 rows`. */
export function describeLoss({ object, lostBy, counted, estimatedRows }: Loss): string {
  const verb = object.startsWith('rows of ') ? 'deletes' : /^truncate\b/i.test(lostBy) ? 'empties' : 'drops';
  const what = object.startsWith('column ') ? 'non-null value' : 'row';
  const number = (amount: number) => `${amount.toLocaleString('en-US')} ${what}${amount === 1 ? '' : 's'}`;
  if (counted !== null) return `${verb} ${object}: ${number(counted)}`;
  const estimate =
    estimatedRows === null ? 'an unknown number of rows' : `about ${estimatedRows.toLocaleString('en-US')} rows`;
  return `${verb} ${object}: ${estimate}`;
}

/** Whether anything is lost; what could not be counted may be. */
export function isLoss({ counted }: Loss): boolean {
  return counted !== 0;
}

/** The parts of a name in DROP (a list of strings) or TRUNCATE (a range variable). */
function nameOf(node: Node): string[] {
  if ('RangeVar' in node) return [node.RangeVar.schemaname, node.RangeVar.relname].filter((part) => part !== undefined);
  if ('String' in node) return [node.String.sval ?? ''];
  if ('List' in node) return (node.List.items ?? []).flatMap(nameOf);
  return [];
}
