// Rules on what takes tables, columns or rows away from those who use them: drops, TRUNCATE and new names.
import type { LintRule } from './lint-rule.ts';
import { droppedNames, nameOfRelation, showName, type WrittenName } from './statement-parts.ts';
import { isEmpty, sizeOf } from './table-size.ts';

export const lossRules: readonly LintRule[] = [
  {
    name: 'ban-drop-table',
    severity: 'error',
    message: 'DROP TABLE loses its rows, and programs that still use it fail at once',
    why: 'Only a restore brings the rows back.',
    instead:
      'revoke its rights or rename it first, wait a release, then drop it with an allow line that says where the rows are kept',
    decidedBy: 'files',
    alsoDown: false,
    check(context) {
      const { tree } = context;
      if (!('DropStmt' in tree)) return [];
      const { removeType } = tree.DropStmt;
      if (removeType !== 'OBJECT_TABLE' && removeType !== 'OBJECT_MATVIEW') return [];
      return droppedNames(tree).flatMap((name) => {
        const { size, about } = sizeOf(context, name);
        return size === 'new' ? [] : [{ about }];
      });
    },
  },
  {
    name: 'ban-drop-column',
    severity: 'error',
    message: 'DROP COLUMN loses its values, and programs that still read it fail at once',
    why: 'Running programs name the column, or have cached its place in prepared statements. Only a restore brings the values back.',
    instead: 'stop reading it, deploy, and drop it a release later with an allow line',
    decidedBy: 'files',
    alsoDown: false,
    check: (context) =>
      context.alters
        .filter(({ subtype }) => subtype === 'AT_DropColumn')
        .flatMap((alter) => {
          const { size, about } = sizeOf(context, alter.table);
          return size === 'new' ? [] : [{ about: `"${alter.command.name}" of ${about}` }];
        }),
  },
  {
    name: 'ban-drop-cascade',
    severity: 'error',
    message: 'DROP … CASCADE removes whatever depends on the object, seen or unseen',
    why: 'Views, foreign keys, policies and columns of others go without being named, and the down script cannot know what to bring back.',
    instead: 'drop what depends on it by name; without CASCADE the server lists it',
    decidedBy: 'file',
    alsoDown: true,
    check({ tree, alters }) {
      const drops = alters.filter(
        ({ subtype, command }) =>
          (subtype === 'AT_DropColumn' || subtype === 'AT_DropConstraint') && command.behavior === 'DROP_CASCADE',
      );
      if (drops.length > 0) return drops.map(({ command }) => ({ about: `"${command.name}"` }));
      if (!('DropStmt' in tree) || tree.DropStmt.behavior !== 'DROP_CASCADE') return [];
      return [{ about: droppedNames(tree).map(showName).join(', ') }];
    },
  },
  {
    name: 'ban-truncate-cascade',
    severity: 'error',
    message: 'TRUNCATE … CASCADE empties every table that refers to these as well',
    why: 'It follows foreign keys through any number of tables, and asks nobody.',
    instead: 'name all tables in one TRUNCATE, or delete in batches',
    decidedBy: 'catalog',
    alsoDown: true,
    check({ tree, schema }) {
      if (!('TruncateStmt' in tree) || tree.TruncateStmt.behavior !== 'DROP_CASCADE') return [];
      const named = (tree.TruncateStmt.relations ?? []).flatMap((one) =>
        'RangeVar' in one ? [nameOfRelation(one.RangeVar)] : [],
      );
      const also = referring(
        schema.tables(),
        named.map((name) => `${schema.schemaOf(name)}.${name.name}`),
      );
      const unseen = also.length > 0 ? `, and with it ${also.map((name) => `"${name}"`).join(', ')}` : '';
      const unsure = schema.catalog === null ? '; the live catalog would tell which' : '';
      return [{ about: `${named.map(showName).join(', ')}${unseen}${unsure}` }];
    },
  },
  {
    name: 'ban-truncate',
    severity: 'error',
    message: 'TRUNCATE loses all rows of the table',
    why: 'Only a restore brings them back. It takes ACCESS EXCLUSIVE, and passes by row level security and by triggers for DELETE.',
    instead: 'delete in batches (header "batch by"), after a backup, with an allow line',
    decidedBy: 'catalog',
    alsoDown: false,
    check(context) {
      const { tree } = context;
      // With CASCADE it is the rule above.
      if (!('TruncateStmt' in tree) || tree.TruncateStmt.behavior === 'DROP_CASCADE') return [];
      return (tree.TruncateStmt.relations ?? []).flatMap((one) => {
        const name = 'RangeVar' in one ? nameOfRelation(one.RangeVar) : undefined;
        return name && !isEmpty(context, name) ? [{ about: sizeOf(context, name).about }] : [];
      });
    },
  },
  {
    name: 'ban-rename-table',
    severity: 'error',
    message: 'a renamed or moved table, view or sequence is gone for programs that know the old name',
    why: 'The change and the deployment of all programs cannot happen at the same instant.',
    instead: 'a view of the old name beside the new table for one release (expand and contract)',
    decidedBy: 'files',
    alsoDown: false,
    check(context) {
      const { tree } = context;
      if ('AlterObjectSchemaStmt' in tree) {
        const { relation, objectType } = tree.AlterObjectSchemaStmt;
        if (objectType === undefined || !NAMED_BY_PROGRAMS.has(objectType)) return [];
        return unlessNewName(context, nameOfRelation(relation));
      }
      if (!('RenameStmt' in tree)) return [];
      const { renameType, relation } = tree.RenameStmt;
      if (renameType === undefined || !NAMED_BY_PROGRAMS.has(renameType)) return [];
      return unlessNewName(context, nameOfRelation(relation));
    },
  },
  {
    name: 'ban-rename-column',
    severity: 'error',
    message: 'a renamed column is gone for programs that know the old name',
    why: 'The change and the deployment of all programs cannot happen at the same instant.',
    instead: 'a new column, a trigger that keeps both, a backfill, and the drop of the old one a release later',
    decidedBy: 'files',
    alsoDown: false,
    check(context) {
      const { tree } = context;
      if (!('RenameStmt' in tree) || tree.RenameStmt.renameType !== 'OBJECT_COLUMN') return [];
      const { subname, relation } = tree.RenameStmt;
      const name = nameOfRelation(relation);
      return sizeOf(context, name).size === 'new' ? [] : [{ about: `"${subname}" of ${showName(name)}` }];
    },
  },
  {
    name: 'ban-rename-schema',
    severity: 'error',
    message: 'a renamed schema takes everything in it away from programs that know the old name',
    why: 'Search paths, qualified names, functions with SET search_path and grants of programs name the schema.',
    instead: 'a new schema with views of the old names, for one release',
    decidedBy: 'file',
    alsoDown: false,
    check({ tree }) {
      return 'RenameStmt' in tree && tree.RenameStmt.renameType === 'OBJECT_SCHEMA'
        ? [{ about: `"${tree.RenameStmt.subname}"` }]
        : [];
    },
  },
];

const NAMED_BY_PROGRAMS: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_SEQUENCE',
  'OBJECT_FOREIGN_TABLE',
]);

function unlessNewName(context: Parameters<typeof sizeOf>[0], name: WrittenName) {
  return sizeOf(context, name).size === 'new' ? [] : [{ about: showName(name) }];
}

/** Tables that refer to those, through any number of others, and are not among them. */
function referring(
  tables: Iterable<{
    schema: string;
    name: string;
    constraints: ReadonlyMap<string, { references: string | undefined }>;
  }>,
  named: readonly string[],
): string[] {
  const links: [string, string][] = [];
  for (const table of tables) {
    for (const { references } of table.constraints.values()) {
      if (references !== undefined) links.push([`${table.schema}.${table.name}`, references]);
    }
  }
  const found = new Set(named);
  // A set that grows while it is walked is walked to its new end.
  for (const target of found) for (const [child, parent] of links) if (parent === target) found.add(child);
  return [...found].slice(named.length);
}
