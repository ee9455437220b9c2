// Reads the links of the database and the tables that a purge has to do with.
import type { DatabaseSession } from '../../shared/database.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { type Inheritance, type Link, type LinkGraph, linkGraph } from './link-graph.ts';

interface ForeignKeyRow {
  constraint_name: string;
  child_oid: string;
  parent_oid: string;
  child_columns: string[];
  parent_columns: string[];
  on_delete: string;
  set_columns: string[] | null;
  has_index: boolean;
}

interface ClassifiedRow {
  child_oid: string;
  parent_oid: string;
  child_column: string;
}

const ACTIONS: Readonly<Record<string, Link['onDelete']>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

/** All foreign keys and classified links of the database. */
export async function readLinkGraph(session: DatabaseSession): Promise<LinkGraph> {
  const keys = await session.query<ForeignKeyRow>(readSqlFile('purge/foreign-keys.sql'));
  const classified = await session.query<ClassifiedRow>(readSqlFile('purge/classified-links.sql'));
  const inherits = await session.query<{ child_oid: string; parent_oid: string; is_partition: boolean }>(
    readSqlFile('purge/inheritance.sql'),
  );
  const links: Link[] = [
    ...keys.rows.map((row) => ({
      name: row.constraint_name,
      childOid: row.child_oid,
      parentOid: row.parent_oid,
      childColumns: row.child_columns,
      parentColumns: row.parent_columns,
      onDelete: ACTIONS[row.on_delete] ?? 'no action',
      setColumns: row.set_columns ?? row.child_columns,
      hasIndex: row.has_index,
    })),
    ...classified.rows.map((row) => ({
      name: row.child_column,
      childOid: row.child_oid,
      parentOid: row.parent_oid,
      childColumns: [row.child_column],
      parentColumns: [],
      onDelete: 'classified' as const,
      setColumns: [],
      hasIndex: true,
    })),
  ];
  const inheritance: Inheritance[] = inherits.rows.map((row) => ({
    childOid: row.child_oid,
    parentOid: row.parent_oid,
    isPartition: row.is_partition,
  }));
  return linkGraph(links, inheritance);
}
