// Rules on making, dropping and rebuilding indexes.
import { isConcurrent } from '../../shared/migration-units.ts';
import type { MadeForeignKey } from './foreign-keys.ts';
import type { Found, LintContext, LintRule } from './lint-rule.ts';
import { droppedNames, indexColumns, nameOfRelation, showName } from './statement-parts.ts';
import { sizeOf, unlessSmall } from './table-size.ts';

export const indexRules: readonly LintRule[] = [
  {
    name: 'require-concurrent-index-creation',
    severity: 'error',
    message: 'CREATE INDEX without CONCURRENTLY stops all writes to the table while it reads it',
    why: 'It holds a SHARE lock until the whole table is read and sorted: every INSERT, UPDATE and DELETE waits.',
    instead:
      'CREATE INDEX CONCURRENTLY; migrate runs it alone, without a time limit, and repairs what a failed one leaves',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const { tree } = context;
      if (!('IndexStmt' in tree) || tree.IndexStmt.concurrent === true) return [];
      const name = nameOfRelation(tree.IndexStmt.relation);
      // It has no concurrent form; the way around is the business of the next rule.
      if (context.schema.table(name)?.kind === 'partitioned table') return [];
      return unlessSmall(context, name);
    },
  },
  {
    name: 'ban-index-on-partitioned-table',
    severity: 'error',
    message:
      'an index on a partitioned table is built on all partitions at once, under a lock, or refused with CONCURRENTLY',
    why: 'CREATE INDEX CONCURRENTLY fails on a partitioned table, and the plain form stops writes to all of its partitions until the last is built.',
    instead:
      'CREATE INDEX … ON ONLY the parent, CREATE INDEX CONCURRENTLY on each partition, then ALTER INDEX … ATTACH PARTITION',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const { tree } = context;
      if (!('IndexStmt' in tree)) return [];
      const { relation, concurrent } = tree.IndexStmt;
      const name = nameOfRelation(relation);
      if (context.schema.table(name)?.kind !== 'partitioned table') return [];
      if (concurrent === true) return [{ about: `on ${showName(name)}, with CONCURRENTLY` }];
      return relation?.inh === true ? unlessSmall(context, name) : [];
    },
  },
  {
    name: 'require-concurrent-index-drop',
    severity: 'error',
    message: 'DROP INDEX without CONCURRENTLY waits for every query of the table, and all later ones wait behind it',
    why: 'It needs ACCESS EXCLUSIVE on the table. While it waits for one long query, every new query queues.',
    instead: 'DROP INDEX CONCURRENTLY; an index of a constraint goes with ALTER TABLE … DROP CONSTRAINT',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const { tree } = context;
      if (!('DropStmt' in tree) || tree.DropStmt.removeType !== 'OBJECT_INDEX' || tree.DropStmt.concurrent === true) {
        return [];
      }
      return droppedNames(tree).flatMap((index) => {
        const table = context.schema.tableOfIndex(index);
        if (!table) return [{ about: `${showName(index)}; the live catalog would tell the size of its table` }];
        const found = unlessSmall(context, table, `${showName(index)} on `);
        // The server has no concurrent form for these: there is nothing better to write.
        return table.kind === 'partitioned table' ? found.map((one) => ({ ...one, severity: 'warning' })) : found;
      });
    },
  },
  {
    name: 'require-concurrent-reindex',
    severity: 'error',
    message: 'REINDEX without CONCURRENTLY stops writes, and queries that would use the index, until it is built',
    why: 'It holds SHARE on the table and ACCESS EXCLUSIVE on the index for the whole build.',
    instead: 'REINDEX INDEX CONCURRENTLY or REINDEX TABLE CONCURRENTLY',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const { tree } = context;
      if (!('ReindexStmt' in tree) || isConcurrent(tree.ReindexStmt.params)) return [];
      const name = nameOfRelation(tree.ReindexStmt.relation);
      if (tree.ReindexStmt.kind !== 'REINDEX_OBJECT_INDEX') return unlessSmall(context, name);
      const table = context.schema.tableOfIndex(name);
      return table ? unlessSmall(context, table) : [{ about: showName(name) }];
    },
  },
  {
    name: 'require-concurrent-refresh',
    severity: 'error',
    message: 'REFRESH MATERIALIZED VIEW without CONCURRENTLY stops all readers until the query is done',
    why: 'It holds ACCESS EXCLUSIVE on the view while its query runs.',
    instead: 'REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on columns of the view',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const { tree } = context;
      if (!('RefreshMatViewStmt' in tree)) return [];
      const { relation, concurrent, skipData } = tree.RefreshMatViewStmt;
      return concurrent === true || skipData === true ? [] : unlessSmall(context, nameOfRelation(relation));
    },
  },
  {
    name: 'ban-concurrent-index-if-not-exists',
    severity: 'error',
    message: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS passes over an INVALID index of that name, which stays INVALID',
    why: 'A failed concurrent build leaves an INVALID index behind. IF NOT EXISTS finds the name taken and does nothing: no query ever uses the index, and a unique one enforces nothing for old rows.',
    instead: 'leave IF NOT EXISTS out: migrate finds an INVALID leftover by itself and builds it anew',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const { tree } = context;
      if (!('IndexStmt' in tree)) return [];
      const { concurrent, if_not_exists, idxname = '', relation } = tree.IndexStmt;
      if (concurrent !== true || if_not_exists !== true) return [];
      const table = context.schema.table(nameOfRelation(relation));
      const index = table?.indexes.get(idxname);
      if (index?.isValid === false) return [{ about: `"${idxname}" is INVALID now` }];
      if (table?.isWhole === true) return [];
      return [{ about: `"${idxname}"; the live catalog would tell whether it is there`, severity: 'warning' }];
    },
  },
  {
    name: 'ban-concurrently-in-block',
    severity: 'error',
    message: 'CONCURRENTLY cannot run in a DO block, which is always in a transaction',
    why: 'The server refuses it with 25001 (active_sql_transaction), after the statements before it have run and waited.',
    instead: 'a statement of its own in the file: migrate runs it outside of a transaction',
    decidedBy: 'file',
    alsoDown: true,
    check({ block }) {
      return /\b(index|reindex|table|view)\b[^;]*\bconcurrently\b/i.test(block) ? [{ about: 'in this block' }] : [];
    },
  },
  {
    name: 'ban-timeout-on-concurrent-index',
    severity: 'error',
    message: 'a lock or statement timeout can end a concurrent index build half way, and leaves an INVALID index',
    why: 'lock_timeout also ends the waits of the build for old transactions, and statement_timeout the build itself.',
    instead:
      'leave the timeouts out of files that build indexes: migrate builds them without one, and watches who blocks them',
    decidedBy: 'file',
    alsoDown: true,
    check({ unit, header, script, statement }) {
      if (unit.kind !== 'long' || unit.operation !== 'create index concurrently') return [];
      if (header.statementTimeoutMs !== undefined) return [{ about: 'by the header "statement timeout" of the file' }];
      return script.setsTimeoutBefore(statement) ? [{ about: 'by a SET LOCAL of the file' }] : [];
    },
  },
  {
    name: 'prefer-narrow-index',
    severity: 'warning',
    message: 'an index that is not unique has more than three columns',
    why: 'It is large, slows every write, and columns behind the third seldom narrow a search further (the limit is that of strong_migrations).',
    instead: 'index the columns that select most; add others with INCLUDE when a query reads only the index',
    decidedBy: 'file',
    alsoDown: false,
    check({ tree }) {
      if (!('IndexStmt' in tree) || tree.IndexStmt.unique === true) return [];
      const columns = indexColumns(tree.IndexStmt.indexParams).length;
      return columns > WIDEST_INDEX ? [{ about: `"${tree.IndexStmt.idxname ?? ''}" has ${columns}` }] : [];
    },
  },
  {
    name: 'prefer-btree-over-hash',
    severity: 'warning',
    message: 'a hash index serves only =, cannot be unique and cannot sort',
    why: 'A B-tree answers the same queries about as fast, and ranges, ORDER BY and uniqueness as well.',
    instead: 'leave USING hash out',
    decidedBy: 'file',
    alsoDown: false,
    check({ tree }) {
      return 'IndexStmt' in tree && tree.IndexStmt.accessMethod === 'hash'
        ? [{ about: `"${tree.IndexStmt.idxname ?? ''}"` }]
        : [];
    },
  },
  {
    name: 'prefer-fewer-indexes',
    severity: 'warning',
    message: 'the table has many indexes already',
    why: 'Every write maintains all of them, a HOT update becomes rare, and planning takes longer (the limit of 15 is that of GitLab).',
    instead:
      'drop one that is not used (pg_stat_user_indexes.idx_scan = 0 over a full business cycle) before adding another',
    decidedBy: 'catalog',
    alsoDown: false,
    check(context) {
      const { tree, schema } = context;
      if (!('IndexStmt' in tree)) return [];
      const name = nameOfRelation(tree.IndexStmt.relation);
      const indexes = schema.table(name)?.indexes.size ?? 0;
      if (indexes < MANY_INDEXES || sizeOf(context, name).size === 'small') return [];
      return [{ about: `${showName(name)} has ${indexes}` }];
    },
  },
  {
    name: 'require-index-on-foreign-key',
    severity: 'warning',
    message: 'a foreign key has no index on the columns that refer',
    why: 'Each DELETE or key change of a parent row reads the whole child table to find rows that refer to it, and holds its locks meanwhile.',
    instead: 'CREATE INDEX CONCURRENTLY on the referring columns before the constraint',
    decidedBy: 'catalog',
    alsoDown: false,
    check: (context) => context.foreignKeys.flatMap((key) => unindexed(context, key)),
  },
];

const WIDEST_INDEX = 3;
const MANY_INDEXES = 15;

function unindexed(context: LintContext, key: MadeForeignKey): Found[] {
  const { schema, run } = context;
  const table = schema.table(key.table);
  const covers = (columns: readonly string[]) => {
    const leading = columns.slice(0, key.columns.length);
    return key.columns.every((column) => leading.includes(column));
  };
  const made = run.indexes.get(`${schema.schemaOf(key.table)}.${key.table.name}`) ?? [];
  const there = [...(table?.indexes.values() ?? [])].filter((index) => index.isValid && !index.isComputed);
  if (made.some(covers) || there.some((index) => covers(index.columns))) return [];
  const unsure = table?.isWhole === true ? '' : '; the live catalog would tell of others';
  return [{ about: `${showName(key.table)} (${key.columns.join(', ')})${unsure}` }];
}
