// What a reversal would remove, read from the statements and the catalog; for the dry run of down. Changes nothing.
// Rows are the server's estimate: an exact count would read the whole table.
import type { Node } from 'libpg-query';
import type { DatabaseSession } from '../shared/database.ts';
import type { Migration } from '../shared/migration-files.ts';
import { scriptOf } from '../shared/migration-run.ts';
import type { MigrationStatement } from '../shared/migration-statements.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { Loss } from './contract.ts';

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
    return [{ object: `rows of ${name}`, lostBy: firstLine, estimatedRows: null, bytes: null }];
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
    const rows = (await tableLosses(session, firstLine, [table]))[0]?.estimatedRows ?? null;
    return columns.map((column) => ({
      object: `column ${[...table, column].join('.')}`,
      lostBy: firstLine,
      estimatedRows: rows,
      bytes: null,
    }));
  }
  return [];
}

async function tableLosses(
  session: DatabaseSession,
  lostBy: string,
  names: readonly (readonly string[])[],
): Promise<Loss[]> {
  const parts = names.map((name) => ({ schema: name.at(-2) ?? null, table: name.at(-1) ?? '' }));
  const { rows } = await session.query<SizeRow>(readSqlFile('session/table-sizes.sql'), [
    parts.map(({ schema }) => schema),
    parts.map(({ table }) => table),
  ]);
  return rows.map((row) => asLoss(row, lostBy));
}

async function schemaLosses(session: DatabaseSession, lostBy: string, schemas: readonly string[]): Promise<Loss[]> {
  const { rows } = await session.query<SizeRow>(readSqlFile('session/schema-table-sizes.sql'), [schemas]);
  return rows.map((row) => asLoss(row, lostBy));
}

interface SizeRow {
  name: string;
  estimated_rows: string | null;
  bytes: string | null;
}

function asLoss(row: SizeRow, lostBy: string): Loss {
  const number = (text: string | null) => (text === null ? null : Number(text));
  return { object: `table ${row.name}`, lostBy, estimatedRows: number(row.estimated_rows), bytes: number(row.bytes) };
}

/** The parts of a name in DROP (a list of strings) or TRUNCATE (a range variable). */
function nameOf(node: Node): string[] {
  if ('RangeVar' in node) return [node.RangeVar.schemaname, node.RangeVar.relname].filter((part) => part !== undefined);
  if ('String' in node) return [node.String.sval ?? ''];
  if ('List' in node) return (node.List.items ?? []).flatMap(nameOf);
  return [];
}
