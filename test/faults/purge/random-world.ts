// Random tables, rows, policies and holds: as a model in memory and as the SQL that makes the same in schema app.
import * as fc from 'fast-check';
import { quoteIdentifier } from '../../../functions/shared/quote-identifier.ts';
import type { Age, LinkAction, ModelHold, ModelLink, ModelPolicy, ModelRow, ModelTable } from './purge-model.ts';

/** What fast-check gives for `fc.gen()`. */
export type Pick = fc.GeneratorValue;

export interface RandomTable extends ModelTable {
  /** `pair`: two columns, of which the second is the partition key. */
  readonly key: 'id' | 'pair' | 'none';
  readonly layout: 'plain' | 'partitioned' | 'inherited';
  readonly timeType: 'timestamptz' | 'timestamp' | 'date';
  /** The longest chain of foreign keys above it. */
  readonly depth: number;
}

export interface RandomPolicy extends ModelPolicy {
  readonly name: string;
  readonly predicate: string | null;
  readonly batchRows: number;
  readonly archive: boolean;
}

export interface RandomWorld {
  readonly tables: readonly RandomTable[];
  readonly rows: Map<number, ModelRow>;
  readonly holds: readonly ModelHold[];
  readonly defaults: Map<string, number | null>;
  readonly policies: readonly RandomPolicy[];
}

const DEEPEST = 4;
const ACTIONS: readonly LinkAction[] = [
  'cascade',
  'cascade',
  'cascade',
  'no action',
  'restrict',
  'set null',
  'set default',
];
const AGES: readonly Age[] = [
  'past',
  'past',
  'past',
  'past',
  'fresh',
  'null',
  '-infinity',
  'infinity',
  'before',
  'at',
  'after',
];
const KINDS = ['a', 'b', 'c'];

/** Names that would break a statement which forgot to quote them. */
const NAMES = ['plain', 'Upper Case', 'select', 'dot.ted', 'quo"ted', "it's", 'semi;colon', 'Ünïcode', '$1'];

const PREDICATES: readonly { sql: string | null; fits: (row: ModelRow) => boolean }[] = [
  { sql: null, fits: () => true },
  { sql: null, fits: () => true },
  { sql: "kind = 'a'", fits: ({ kind }) => kind === 'a' },
  { sql: "kind <> 'a' or kind = 'b'", fits: ({ kind }) => kind !== 'a' },
  { sql: 'rid % 3 <> 0', fits: ({ rid }) => rid % 3 !== 0 },
];

export function randomWorld(pick: Pick): RandomWorld {
  const int = (min: number, max: number) => pick(fc.integer, { min, max });
  const chance = (percent: number) => int(1, 100) <= percent;
  const one = <T>(values: readonly T[]): T => values[int(0, values.length - 1)] as T;

  const tables: RandomTable[] = [];
  const count = int(2, 6);
  for (let index = 0; index < count; index += 1) tables.push(randomTable(tables, index));

  function randomTable(earlier: readonly RandomTable[], index: number): RandomTable {
    const layout = one(['plain', 'plain', 'plain', 'partitioned', 'inherited'] as const);
    const key = layout === 'partitioned' ? 'pair' : layout === 'inherited' || chance(80) ? 'id' : 'none';
    const name = `${one(NAMES)} ${index}`;
    const parents = earlier.filter((table) => table.key !== 'none' && table.depth < DEEPEST);
    const links: ModelLink[] = [];
    const wanted = parents.length === 0 ? 0 : one([1, 1, 1, 2, 2]);
    for (let n = 0; n < wanted; n += 1) links.push({ name: `l${n}`, parent: one(parents).name, action: one(ACTIONS) });
    if (key === 'id' && chance(25)) links.push({ name: 'own', parent: name, action: one(ACTIONS) });
    const persons = earlier.filter((table) => table.key === 'id');
    if (persons.length > 0 && chance(15)) links.push({ name: 'who', parent: one(persons).name, action: 'classified' });
    const depths = links.map(({ parent }) => tables.find((table) => table.name === parent)?.depth ?? 0);
    return {
      name,
      layout,
      key,
      links,
      timeType: one(['timestamptz', 'timestamptz', 'timestamp', 'date'] as const),
      depth: Math.max(0, ...depths) + 1,
    };
  }

  const rows = new Map<number, ModelRow>();
  const defaults = new Map<string, number | null>();
  let rid = 0;
  const add = (table: RandomTable, isHeir: boolean, age: Age, refs: [string, number | null][]): ModelRow => {
    rid += 1;
    const row = { rid, table: table.name, isHeir, age, kind: one(KINDS), refs: new Map(refs), isAnonymised: false };
    rows.set(rid, row);
    return row;
  };
  // One row in each table that nothing can take away: what a SET DEFAULT falls back to.
  const anchors = new Map(tables.map((table) => [table.name, add(table, false, 'infinity', []).rid]));
  for (const table of tables) {
    for (const link of table.links) {
      if (link.action === 'set default')
        defaults.set(`${table.name}.${link.name}`, chance(50) ? null : (anchors.get(link.parent) ?? null));
    }
    for (let left = int(0, 14); left > 0; left -= 1) {
      const isHeir = table.layout === 'inherited' && chance(30);
      const refs = table.links.map((link): [string, number | null] => {
        const targets = [...rows.values()].filter((row) => row.table === link.parent && !row.isHeir);
        return [link.name, chance(20) || targets.length === 0 ? null : one(targets).rid];
      });
      add(table, isHeir, one(AGES), refs);
    }
  }

  const policies: RandomPolicy[] = [];
  for (let left = int(1, 3); left > 0; left -= 1) {
    const table = one(tables);
    const predicate = one(PREDICATES);
    const action = chance(75) ? 'delete' : 'anonymise';
    policies.push({
      name: `policy-${policies.length}`,
      table: table.name,
      action,
      predicate: predicate.sql,
      fits: predicate.fits,
      batchRows: one([1, 2, 5, 50]),
      archive: action === 'delete' && chance(15),
    });
  }

  const holds: ModelHold[] = [];
  for (let left = one([0, 1, 2, 3]); left > 0; left -= 1) {
    const row = one([...rows.values()]);
    const hasKey = tables.some(({ name, key }) => name === row.table && key !== 'none');
    const isWhole = !hasKey || chance(15);
    holds.push({
      table: row.table,
      rid: isWhole ? undefined : row.rid,
      isSubject: !isWhole && chance(50),
      inForce: chance(75),
    });
  }
  return { tables, rows, holds, defaults, policies };
}

const name = quoteIdentifier;

/** Two columns of a key: the second is the partition. */
const keyOf = (rid: number) => [rid, rid % 3];

function columnsOf(link: ModelLink, parent: RandomTable): string[] {
  return parent.key === 'pair' ? [`${link.name}_id`, `${link.name}_part`] : [`${link.name}_id`];
}

/** The statements that make schema app out of the world; the rows come after them, by insertStatements. */
export function schemaStatements(world: RandomWorld, role: string): string[] {
  const tableOf = (wanted: string) => world.tables.find((table) => table.name === wanted) as RandomTable;
  const created = world.tables.flatMap((table) => {
    const columns = table.links.flatMap((link) => {
      const fallback = world.defaults.get(`${table.name}.${link.name}`);
      return columnsOf(link, tableOf(link.parent)).map((column, index) => {
        const value = fallback === undefined || fallback === null ? '' : ` default ${keyOf(fallback)[index]}`;
        return `${name(column)} bigint${value}`;
      });
    });
    const keys = { id: ['primary key (id)'], pair: ['primary key (id, part)'], none: [] }[table.key];
    const body = [
      'id bigint',
      'part bigint',
      'rid bigint not null',
      `at ${table.timeType}`,
      'edge int',
      'kind text not null',
      'secret text',
      '"Marker" timestamptz',
      ...columns,
      ...keys,
    ].join(', ');
    const qualified = `app.${name(table.name)}`;
    const part = (suffix: string) => `app.${name(`${table.name} ${suffix}`)}`;
    return [
      `create table ${qualified} (${body})${table.layout === 'partitioned' ? ' partition by list (part)' : ''}`,
      ...(table.layout === 'partitioned'
        ? [
            `create table ${part('0')} partition of ${qualified} for values in (0)`,
            `create table ${part('rest')} partition of ${qualified} default`,
          ]
        : []),
      ...(table.layout === 'inherited'
        ? [`create table ${part('heir')} (primary key (id)) inherits (${qualified})`]
        : []),
      `create index on ${qualified} (at)`,
    ];
  });
  const linked = world.tables.flatMap((table) =>
    table.links.map((link) => {
      const parent = tableOf(link.parent);
      const columns = columnsOf(link, parent).map(name);
      if (link.action === 'classified') {
        return `insert into nightshift.data_classification
          (schema_name, table_name, column_name, classification, encryption_required, subject_schema, subject_table)
          values ('app', ${literal(table.name)}, '${link.name}_id', 'INTERNAL', false, 'app', ${literal(link.parent)})`;
      }
      const target = parent.key === 'pair' ? 'id, part' : 'id';
      return `alter table app.${name(table.name)} add constraint ${name(`${table.name}.${link.name}`)} foreign key (${columns.join(', ')})
        references app.${name(link.parent)} (${target}) on delete ${link.action}`;
    }),
  );
  return [
    ...created,
    ...linked,
    `grant usage on schema app to ${role}`,
    `grant select, update, delete on all tables in schema app to ${role}`,
  ];
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

const OFFSETS: Partial<Record<Age, number>> = { before: -1, at: 0, after: 1 };

/** The rows in the order of their numbers, so that each finds what it references. */
export function insertStatements(world: RandomWorld): string[] {
  const tableOf = (wanted: string) => world.tables.find((table) => table.name === wanted) as RandomTable;
  return [...world.rows.values()].map((row) => {
    const table = tableOf(row.table);
    const refs = table.links.flatMap((link) => {
      const rid = row.refs.get(link.name) ?? null;
      return columnsOf(link, tableOf(link.parent)).map((column, index) => [
        name(column),
        rid === null ? 'null' : String(keyOf(rid)[index]),
      ]);
    });
    const [id, part] = keyOf(row.rid);
    const columns: (string | undefined)[][] = [
      ['id', String(id)],
      ['part', String(part)],
      ['rid', String(row.rid)],
      ['at', timeOf(row)],
      ['edge', String(OFFSETS[row.age] ?? 'null')],
      ['kind', `'${row.kind}'`],
      ['secret', `'secret ${row.rid}'`],
      ...refs,
    ];
    const target = row.isHeir ? `app.${name(`${row.table} heir`)}` : `app.${name(row.table)}`;
    return `insert into ${target} (${columns.map(([column]) => column).join(', ')}) values (${columns.map(([, value]) => value).join(', ')})`;
  });
}

/** Those at the cutoff are put there by a trigger when the run begins: only then the cutoff is known. */
function timeOf({ age, rid }: ModelRow): string {
  if (age === 'null') return 'null';
  if (age === 'infinity' || age === '-infinity') return `'${age}'`;
  if (age === 'past') return `now() at time zone 'utc' - interval '${31 + (rid % 7)} days'`;
  return `now() at time zone 'utc' - interval '${rid % 28} days'`;
}

/** The policies and holds of the world, whose retention is 30 days. */
export function ruleStatements(world: RandomWorld): string[] {
  const tableOf = (wanted: string) => world.tables.find((table) => table.name === wanted) as RandomTable;
  const policies = world.policies.map((policy) => {
    const isDelete = policy.action === 'delete';
    const anonymise = isDelete ? 'null' : `'{"secret": "''gone '' || rid"}'`;
    return `insert into nightshift.retention_policy
      (name, schema_name, table_name, timestamp_column, retention, predicate, action, archive_before_delete, enabled, reason,
        anonymise, marker_column, batch_rows)
      values ('${policy.name}', 'app', ${literal(policy.table)}, 'at', '30 days',
        ${policy.predicate === null ? 'null' : literal(policy.predicate)}, '${policy.action}', ${policy.archive}, true, 'a test',
        ${anonymise}, ${isDelete ? 'null' : "'Marker'"}, ${policy.batchRows})`;
  });
  const holds = world.holds.map(({ table, rid, isSubject, inForce }, index) => {
    const [id, part] = keyOf(rid ?? 0);
    const isPair = tableOf(table).key === 'pair';
    const key = rid === undefined ? 'null' : isPair ? `'["${id}", "${part}"]'` : `'${id}'`;
    // One that is not in force has either been released or ended by itself.
    const end = inForce
      ? 'null, null, null'
      : index % 2 === 0
        ? "now() - interval '1 day', 'a judge', null"
        : "null, null, now() - interval '1 day'";
    return `insert into nightshift.legal_hold
      (schema_name, table_name, key_value, is_subject, reason, placed_at, released_at, released_by, held_until)
      values ('app', ${literal(table)}, ${key}, ${isSubject}, 'case', now() - interval '2 days', ${end})`;
  });
  return [...policies, ...holds];
}
