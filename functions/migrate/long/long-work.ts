// What a statement that runs alone leaves in the catalog: how to tell whether it was done, half done or never begun, and how a half
// done one is repaired. One entry for each operation.
import type { Node } from 'libpg-query';
import type { DatabaseSession } from '../../shared/database.ts';
import type { LongOperation } from '../../shared/migration-units.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { listedName, relationName } from './name-in-sql.ts';

/** Facts of the catalog, kept in the row of the step as JSON. */
export type CatalogFacts = Readonly<Record<string, unknown>>;

export interface LongWork {
  /** Reads what the catalog says now. */
  look(session: DatabaseSession): Promise<CatalogFacts>;
  /** Whether the statement was carried out between the two looks; false also when nobody can tell and it may run again. */
  isDone(before: CatalogFacts, now: CatalogFacts, startedAt: Date): boolean;
  /** Statements that remove or end what a broken try has left. */
  repairs(now: CatalogFacts): string[];
}

/** Nothing tells a refreshed view from one that is not; it runs again, which ends in the same rows. */
const UNKNOWN_WORK: LongWork = { look: async () => ({}), isDone: () => false, repairs: () => [] };

const works: Readonly<Record<LongOperation, (tree: Node) => LongWork>> = {
  'create index concurrently': createIndex,
  'drop index concurrently': dropIndex,
  'reindex concurrently': reindex,
  'validate constraint': validateConstraint,
  'add enum value': addEnumValue,
  vacuum,
  'detach partition concurrently': detachPartition,
  'refresh materialized view concurrently': () => UNKNOWN_WORK,
};

/** The work of a statement. */
export function longWork(operation: LongOperation, tree: Node): LongWork {
  return works[operation](tree);
}

/** One row of one column `facts`. */
async function lookBy(session: DatabaseSession, file: string, values: readonly unknown[]): Promise<CatalogFacts> {
  const { rows } = await session.query<{ facts: CatalogFacts }>(readSqlFile(file), values);
  return rows[0]?.facts ?? {};
}

function createIndex(tree: Node): LongWork {
  if (!('IndexStmt' in tree) || !tree.IndexStmt.relation) throw new TypeError('not a CREATE INDEX');
  const { idxname, relation } = tree.IndexStmt;
  const table = relationName(relation);
  return {
    look: async (session) => await lookBy(session, 'migrate/look-index.sql', [table, idxname ?? '']),
    isDone: (before, now) => now['isValid'] === true && now['oid'] !== before['oid'],
    repairs: (now) => (now['isValid'] === false ? [`drop index concurrently ${String(now['name'])}`] : []),
  };
}

function dropIndex(tree: Node): LongWork {
  if (!('DropStmt' in tree)) throw new TypeError('not a DROP INDEX');
  const [object] = tree.DropStmt.objects ?? [];
  const index = object ? listedName(object) : '';
  return {
    look: async (session) => await lookBy(session, 'migrate/look-relation.sql', [index]),
    isDone: (before, now) => before['oid'] !== null && now['oid'] === null,
    repairs: () => [],
  };
}

function reindex(tree: Node): LongWork {
  if (!('ReindexStmt' in tree)) throw new TypeError('not a REINDEX');
  const { relation, name, kind } = tree.ReindexStmt;
  const target = relation ? relationName(relation) : (name ?? '');
  const scope = kind === 'REINDEX_OBJECT_INDEX' ? 'index' : kind === 'REINDEX_OBJECT_TABLE' ? 'table' : 'schema';
  const idsOf = (facts: CatalogFacts) => (Array.isArray(facts['valid']) ? facts['valid'].map(String) : []);
  return {
    look: async (session) => await lookBy(session, 'migrate/look-reindexed.sql', [scope, target]),
    // Every index that was there has been replaced by another one.
    isDone: (before, now) => {
      const left = new Set(idsOf(now));
      return idsOf(before).length > 0 && idsOf(before).every((id) => !left.has(id)) && repairsOf(now).length === 0;
    },
    repairs: repairsOf,
  };
}

/** `_ccnew` and `_ccold` are what the server calls the halves of a REINDEX CONCURRENTLY that was broken off. */
function repairsOf(now: CatalogFacts): string[] {
  const leftovers = Array.isArray(now['leftovers']) ? now['leftovers'] : [];
  return leftovers.map((name) => `drop index concurrently ${String(name)}`);
}

function validateConstraint(tree: Node): LongWork {
  const { table, name } = alteredTable(tree);
  return {
    look: async (session) => await lookBy(session, 'migrate/look-constraint.sql', [table, name]),
    isDone: (_, now) => now['isValidated'] === true,
    repairs: () => [],
  };
}

function addEnumValue(tree: Node): LongWork {
  if (!('AlterEnumStmt' in tree)) throw new TypeError('not an ALTER TYPE … ADD VALUE');
  const { typeName = [], newVal } = tree.AlterEnumStmt;
  return {
    look: async (session) => await lookBy(session, 'migrate/look-enum-value.sql', [listedName(typeName), newVal ?? '']),
    isDone: (before, now) => before['isThere'] === false && now['isThere'] === true,
    repairs: () => [],
  };
}

function vacuum(tree: Node): LongWork {
  if (!('VacuumStmt' in tree)) throw new TypeError('not a VACUUM');
  const tables = (tree.VacuumStmt.rels ?? []).flatMap((one) =>
    'VacuumRelation' in one && one.VacuumRelation.relation ? [relationName(one.VacuumRelation.relation)] : [],
  );
  return {
    look: async (session) => await lookBy(session, 'migrate/look-vacuumed.sql', [tables]),
    isDone: (_, now, startedAt) =>
      tables.length > 0 && typeof now['oldest'] === 'string' && Date.parse(now['oldest']) >= startedAt.getTime(),
    repairs: () => [],
  };
}

function detachPartition(tree: Node): LongWork {
  const { table, partition } = alteredTable(tree);
  return {
    look: async (session) => await lookBy(session, 'migrate/look-partition.sql', [table, partition]),
    isDone: (before, now) => before['isAttached'] === true && now['isAttached'] === false,
    repairs: (now) =>
      now['isPending'] === true ? [`alter table ${table} detach partition ${partition} finalize`] : [],
  };
}

function alteredTable(tree: Node): { table: string; name: string; partition: string } {
  if (!('AlterTableStmt' in tree) || !tree.AlterTableStmt.relation) throw new TypeError('not an ALTER TABLE');
  const [command] = tree.AlterTableStmt.cmds ?? [];
  if (!command || !('AlterTableCmd' in command)) throw new TypeError('an ALTER TABLE without a command');
  const { name = '', def } = command.AlterTableCmd;
  const partition = def && 'PartitionCmd' in def && def.PartitionCmd.name ? relationName(def.PartitionCmd.name) : '';
  return { table: relationName(tree.AlterTableStmt.relation), name, partition };
}
