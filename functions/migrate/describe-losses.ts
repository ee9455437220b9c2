// What a reversal would remove, read from the statements, the catalog and the rows; for the dry run of down, and for the
// question that down asks. Changes nothing.
import type { Node } from 'libpg-query';
import type { DatabaseSession } from '../shared/database.ts';
import type { Migration } from '../shared/migration-files.ts';
import { scriptOf } from '../shared/migration-run.ts';
import type { MigrationStatement } from '../shared/migration-statements.ts';
import { quoteIdentifier, quoteQualified } from '../shared/quote-identifier.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { Loss } from './loss-contract.ts';
import { type CountedRows, countRows } from './losses/count-rows.ts';
import { deletedRows } from './losses/deleted-rows.ts';
import { type TypeChange, typeChanges } from './losses/type-changes.ts';

interface TableRow {
  name: string;
  oid: string;
  schema: string;
  table: string;
  estimated_rows: string | null;
  bytes: string | null;
}

/**
 * Tables, columns, rows and values that the down files would remove, in order of the statements.
 *
 * Rows are counted, each count within the statement timeout of the session; where that fails (time, rights, row level
 * security) the loss says so and has the server's estimate. Call it outside of a transaction. Takes ACCESS SHARE.
 * What statements in DO blocks and functions do is not seen, nor what an UPDATE overwrites.
 */
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
  const tablesOf = async (verb: string, rows: readonly TableRow[]) => {
    const losses: Loss[] = [];
    for (const row of rows) losses.push(await tableLoss(session, firstLine, verb, row));
    return losses;
  };
  if ('DropStmt' in tree) {
    const { removeType, objects = [], behavior } = tree.DropStmt;
    if (removeType === 'OBJECT_TABLE' || removeType === 'OBJECT_MATVIEW') {
      return await tablesOf('drops', await findTables(session, objects.map(nameOf)));
    }
    if (removeType === 'OBJECT_SCHEMA' && behavior === 'DROP_CASCADE') {
      const schemas = objects.map((object) => nameOf(object).at(-1) ?? '');
      const { rows } = await session.query<TableRow>(readSqlFile('session/schema-table-sizes.sql'), [schemas]);
      return await tablesOf('drops', rows);
    }
  }
  if ('TruncateStmt' in tree) {
    const named = await findTables(session, (tree.TruncateStmt.relations ?? []).map(nameOf));
    const emptied = tree.TruncateStmt.behavior === 'DROP_CASCADE' ? await findReferring(session, named) : [];
    return await tablesOf('empties', [...named, ...emptied]);
  }
  if ('DeleteStmt' in tree && tree.DeleteStmt.relation) {
    const name = nameOf({ RangeVar: tree.DeleteStmt.relation }).join('.');
    const counted = await deletedRows(session, statement);
    if (counted.rows === 0) return [];
    return [lossOf(`rows of ${name}`, firstLine, `deletes from ${name}`, 'rows', { ...counted, bytes: null })];
  }
  if ('AlterTableStmt' in tree && tree.AlterTableStmt.relation) {
    const [table] = await findTables(session, [nameOf({ RangeVar: tree.AlterTableStmt.relation })]);
    if (table === undefined) return [];
    return [
      ...(await columnLosses(session, firstLine, table, tree.AlterTableStmt.cmds ?? [])),
      ...(await typeLosses(session, firstLine, table, typeChanges(tree.AlterTableStmt.cmds ?? []))),
    ];
  }
  return [];
}

async function tableLoss(session: DatabaseSession, lostBy: string, verb: string, row: TableRow): Promise<Loss> {
  const object = `table ${row.name}`;
  const counted = await countRows(session, `select count(*) as rows from ${quoteQualified(row.schema, row.table)}`);
  return lossOf(object, lostBy, `${verb} ${object}`, 'rows', {
    ...counted,
    estimatedRows: numberOf(row.estimated_rows),
    bytes: numberOf(row.bytes),
  });
}

async function columnLosses(session: DatabaseSession, lostBy: string, table: TableRow, commands: readonly Node[]) {
  const dropped = commands.flatMap((command) =>
    'AlterTableCmd' in command && command.AlterTableCmd.subtype === 'AT_DropColumn'
      ? [command.AlterTableCmd.name ?? '']
      : [],
  );
  const losses: Loss[] = [];
  for (const column of dropped) {
    const counted = await countRows(
      session,
      `select count(${quoteIdentifier(column)}) as rows from ${quoteQualified(table.schema, table.table)}`,
    );
    const object = `column ${table.name}.${column}`;
    const facts = { ...counted, estimatedRows: numberOf(table.estimated_rows), bytes: null };
    losses.push(lossOf(object, lostBy, `drops ${object}`, 'non-null values', facts));
  }
  return losses;
}

/** Values that do not come back when the new type is turned into the old one: cut, rounded, or refused. */
async function typeLosses(session: DatabaseSession, lostBy: string, table: TableRow, changes: readonly TypeChange[]) {
  const losses: Loss[] = [];
  for (const { column, type, hasExpression } of changes) {
    const name = quoteIdentifier(column);
    const from = quoteQualified(table.schema, table.table);
    const object = `values of column ${table.name}.${column}`;
    const estimatedRows = numberOf(table.estimated_rows);
    const old = await session.query<{ type: string }>(
      'select pg_catalog.format_type(atttypid, atttypmod) as type from pg_catalog.pg_attribute where attrelid = $1::oid and attname = $2',
      [table.oid, column],
    );
    const back = `(${name}::${type ?? ''})::${old.rows[0]?.type ?? ''}`;
    const counted: CountedRows =
      type === undefined || hasExpression
        ? { rows: null, reason: hasExpression ? 'its USING decides' : 'its type is not known' }
        : await countRows(
            session,
            `select count(*) as rows from ${from} where (${back})::text is distinct from ${name}::text`,
          );
    if (counted.rows === 0) continue;
    const what = `changes the type of column ${table.name}.${column}`;
    losses.push(lossOf(object, lostBy, what, 'values become others', { ...counted, estimatedRows, bytes: null }));
  }
  return losses;
}

async function findTables(session: DatabaseSession, names: readonly (readonly string[])[]): Promise<TableRow[]> {
  const { rows } = await session.query<TableRow>(readSqlFile('session/table-sizes.sql'), [
    names.map((name) => name.at(-2) ?? null),
    names.map((name) => name.at(-1) ?? ''),
  ]);
  return rows;
}

async function findReferring(session: DatabaseSession, named: readonly TableRow[]): Promise<TableRow[]> {
  const { rows } = await session.query<{ schema: string; name: string }>(readSqlFile('migrate/truncated-tables.sql'), [
    named.map(({ oid }) => oid),
  ]);
  return rows.length === 0
    ? []
    : await findTables(
        session,
        rows.map(({ schema, name }) => [schema, name]),
      );
}

type LossFacts = CountedRows & Pick<Loss, 'estimatedRows' | 'bytes'>;

function lossOf(object: string, lostBy: string, what: string, unit: string, facts: LossFacts): Loss {
  const { rows, reason, estimatedRows, bytes } = facts;
  const words =
    rows !== null
      ? `${grouped(rows)} ${unit}`
      : estimatedRows === null
        ? `an unknown number of ${unit} (not counted: ${reason})`
        : `about ${grouped(estimatedRows)} rows (the server's estimate; not counted: ${reason})`;
  return { object, says: `${what}: ${words}`, lostBy, rows, estimatedRows, bytes };
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

function numberOf(text: string | null): number | null {
  return text === null ? null : Number(text);
}

/** The parts of a name in DROP (a list of strings) or TRUNCATE (a range variable). */
function nameOf(node: Node): string[] {
  if ('RangeVar' in node) return [node.RangeVar.schemaname, node.RangeVar.relname].filter((part) => part !== undefined);
  if ('String' in node) return [node.String.sval ?? ''];
  if ('List' in node) return (node.List.items ?? []).flatMap(nameOf);
  return [];
}
