// Rules on tables as a whole: what copies them, and what locks their parent.
import type { LintRule } from './lint-rule.ts';
import { hasOption, nameOfRelation } from './statement-parts.ts';
import { unlessNew, unlessSmall } from './table-size.ts';

export const tableRules: readonly LintRule[] = [
  {
    name: 'require-concurrent-detach',
    severity: 'error',
    message:
      'DETACH PARTITION without CONCURRENTLY waits for every query of the parent, and all later ones wait behind it',
    why: 'It needs ACCESS EXCLUSIVE on the parent and on the partition.',
    instead: 'DETACH PARTITION … CONCURRENTLY, alone in its ALTER TABLE (not with a DEFAULT partition)',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) =>
      context.alters.flatMap(({ subtype, table, command: { def } }) => {
        if (subtype !== 'AT_DetachPartition' || !def || !('PartitionCmd' in def)) return [];
        return def.PartitionCmd.concurrent === true ? [] : unlessSmall(context, table);
      }),
  },
  {
    name: 'prefer-attach-partition',
    severity: 'warning',
    message: 'CREATE TABLE … PARTITION OF keeps everybody from the parent, if only for a moment',
    why: 'It needs ACCESS EXCLUSIVE on the parent and waits for every query of it, all later ones behind it; with a DEFAULT partition it reads that one meanwhile.',
    instead:
      'CREATE TABLE … (LIKE the parent INCLUDING ALL), then ALTER TABLE … ATTACH PARTITION, which lets reads and writes go on',
    decidedBy: 'catalog',
    alsoDown: false,
    check(context) {
      const { tree } = context;
      if (!('CreateStmt' in tree) || tree.CreateStmt.partbound === undefined) return [];
      const [parent] = tree.CreateStmt.inhRelations ?? [];
      return parent && 'RangeVar' in parent ? unlessSmall(context, nameOfRelation(parent.RangeVar), '') : [];
    },
  },
  {
    name: 'ban-table-copy',
    severity: 'error',
    message: 'SET LOGGED, UNLOGGED, TABLESPACE or ACCESS METHOD copies the whole table while nobody can use it',
    why: 'ACCESS EXCLUSIVE is held until every page is written again. An unlogged table is empty after a crash, and is not on replicas.',
    instead: 'a new table with the wanted storage, filled in batches, and a switch of the names',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) =>
      context.alters.flatMap((alter) => {
        const { subtype, table: name, command } = alter;
        const table = context.schema.table(name);
        const wanted = command.name ?? '';
        if (subtype === 'AT_SetLogged' || subtype === 'AT_SetUnLogged') {
          return table?.isUnlogged === (subtype === 'AT_SetUnLogged') ? [] : unlessNew(context, name);
        }
        if (subtype === 'AT_SetAccessMethod') {
          const isDefault = wanted === '' && table?.accessMethod === 'heap';
          return table?.accessMethod === wanted || isDefault ? [] : unlessNew(context, name);
        }
        if (subtype !== 'AT_SetTableSpace') return [];
        const now = table?.tablespace === '' ? context.schema.catalog?.defaultTablespace : table?.tablespace;
        return now === wanted ? [] : unlessNew(context, name);
      }),
  },
  {
    name: 'ban-vacuum-full',
    severity: 'error',
    message: 'VACUUM FULL copies the whole table while nobody can use it',
    why: 'It writes the table and all its indexes again under ACCESS EXCLUSIVE.',
    instead: 'plain VACUUM, which makes the space reusable; pg_repack to give it back',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const { tree } = context;
      if (!('VacuumStmt' in tree) || !hasOption(tree.VacuumStmt.options, 'full')) return [];
      const named = (tree.VacuumStmt.rels ?? []).flatMap((one) =>
        'VacuumRelation' in one ? [one.VacuumRelation] : [],
      );
      if (named.length === 0) return [{ about: 'on every table of the database' }];
      return named.flatMap(({ relation }) => unlessNew(context, nameOfRelation(relation)));
    },
  },
  {
    name: 'ban-cluster',
    severity: 'error',
    message: 'CLUSTER copies the whole table while nobody can use it',
    why: 'It writes the table and all its indexes again, sorted, under ACCESS EXCLUSIVE.',
    instead: 'pg_repack with --order-by, or a new table that is filled in order',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const { tree } = context;
      return 'ClusterStmt' in tree ? unlessNew(context, nameOfRelation(tree.ClusterStmt.relation)) : [];
    },
  },
];
