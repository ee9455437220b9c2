// Decides what ALTER COLUMN TYPE costs: nothing, a scan, a rebuild of indexes, or a rewrite of the table.
// Follows ATColumnChangeRequiresRewrite, ATPostAlterTypeCleanup and CheckIndexCompatible of the server (tablecmds.c,
// indexcmds.c); a database test compares it with relfilenode.
import type { ColumnDef, Node } from 'libpg-query';
import { columnType, showType } from './column-type.ts';
import type { CatalogIndex, CatalogType } from './lint-catalog.ts';
import type { RunSchema, RunTable } from './run-schema.ts';
import { namesOf } from './statement-parts.ts';

export interface TypeChange {
  /** `unknown`: the type of now is not known, and the new one could need a rewrite. */
  readonly rewrite: 'yes' | 'no' | 'unknown';
  /** Indexes that are built anew under the lock. */
  readonly rebuilds: readonly string[];
  /** Constraints that are checked anew on every row, under the lock. */
  readonly rechecks: readonly string[];
  readonly from: string | undefined;
  readonly to: string;
}

/** What it costs to give that column the type that `column` says. */
export function typeChange(
  schema: RunSchema,
  table: RunTable | undefined,
  name: string,
  column: ColumnDef,
): TypeChange {
  const to = columnType(column.typeName, schema);
  const old = table?.columns.get(name)?.type;
  const steps = castSteps(column.raw_default, name, schema);
  const rewrite = old && steps ? rewriteOf(schema, old, [...steps, to]) : old ? 'yes' : 'unknown';
  const collates = column.collClause !== undefined;
  const uses = table ? [...table.indexes.values()].filter((index) => index.uses.includes(name)) : [];
  const rebuilds = uses.filter((index) => isRebuilt(schema, index, old, to, rewrite === 'yes' || collates));
  const checks = table ? [...table.constraints.values()].filter((one) => one.columns.includes(name)) : [];
  const rechecks = checks.filter(
    ({ kind }) => kind === 'check' || (kind === 'foreign key' && old !== undefined && !sameFamily(schema, old, to)),
  );
  return {
    rewrite,
    rebuilds: rebuilds.map((index) => index.name),
    rechecks: rechecks.map((constraint) => constraint.name),
    from: old ? showType(old) : undefined,
    to: showType(to),
  };
}

/** The types that USING casts the column to, one after the other; undefined for anything that is no such cast. */
function castSteps(using: Node | undefined, name: string, schema: RunSchema): CatalogType[] | undefined {
  if (using === undefined) return [];
  if ('ColumnRef' in using) return namesOf(using.ColumnRef.fields).at(-1) === name ? [] : undefined;
  if (!('TypeCast' in using)) return undefined;
  const inner = castSteps(using.TypeCast.arg, name, schema);
  return inner && [...inner, columnType(using.TypeCast.typeName, schema)];
}

/** `rewrite` of a chain of casts. */
function rewriteOf(schema: RunSchema, old: CatalogType, steps: readonly CatalogType[]): TypeChange['rewrite'] {
  let rewrite: TypeChange['rewrite'] = 'no';
  let from = old;
  for (const to of steps) {
    if (!stepKeepsBytes(schema, from, to)) {
      // Without a catalog nobody knows the time zone.
      const mayBeFree = schema.timeZone === undefined && isTimestampPair(baseOf(schema, from).name, to.name);
      if (!mayBeFree) return 'yes';
      rewrite = 'unknown';
    }
    from = to;
  }
  return rewrite;
}

function stepKeepsBytes(schema: RunSchema, from: CatalogType, to: CatalogType): boolean {
  if (from.isArray !== to.isArray) return false;
  if (isSame(from, to)) return true;
  const base = baseOf(schema, from);
  const domain = to.isArray ? undefined : domainOf(schema, to);
  if (domain) return !domain.isConstrained && stepKeepsBytes(schema, base, domain.base);
  if (from.isArray) return isSameType(from, to) && to.modifiers.length === 0;
  if (isSameType(base, to)) return keepsModifiers(to.name, base.modifiers, to.modifiers);
  if (base.schema !== 'pg_catalog' || to.schema !== 'pg_catalog') return false;
  if (to.name === 'varchar' && base.name === 'text') return to.modifiers.length === 0;
  if (isTimestampPair(base.name, to.name)) {
    // The cast is free only at a constant distance of zero; the precision of the old type is forgotten on the way.
    return isConstantUtc(schema.timeZone) && keepsModifiers('timestamp', [], to.modifiers);
  }
  return BINARY_CASTS.has(`${base.name} ${to.name}`) && to.modifiers.length === 0;
}

/** Casts of the server that keep the bytes (pg_cast.castmethod = 'b'), as far as an assignment may use them. */
const BINARY_CASTS: ReadonlySet<string> = new Set([
  'varchar text',
  'text varchar',
  'cidr inet',
  'xml text',
  'xml varchar',
  'bit varbit',
  'varbit bit',
  'int4 oid',
  'oid int4',
  'oid regclass',
  'regclass oid',
  'oid regproc',
  'regproc oid',
  'oid regtype',
  'regtype oid',
  'int4 regclass',
  'regclass int4',
  'int4 regproc',
  'regproc int4',
  'int4 regtype',
  'regtype int4',
]);

/** Whether the server leaves out the cast that would cut, pad or round the values of one type. */
function keepsModifiers(type: string, from: CatalogType['modifiers'], to: CatalogType['modifiers']): boolean {
  if (to.length === 0 || String(from) === String(to)) return true;
  const [old] = from;
  const [wanted = 0] = to;
  switch (type) {
    case 'varchar':
    case 'varbit':
      return old !== undefined && wanted >= old;
    case 'numeric':
      return old !== undefined && from[1] === to[1] && wanted >= old;
    case 'timestamp':
    case 'timestamptz':
    case 'time':
    case 'timetz':
      return wanted >= (old ?? MAX_PRECISION);
    case 'interval':
      return keepsInterval(from, to);
    default:
      // bpchar and bit pad and cut; types of others do what only they know.
      return false;
  }
}

/** Digits of a second that the server keeps (MAX_TIMESTAMP_PRECISION). */
const MAX_PRECISION = 6;
const FULL_RANGE = 0x7fff;
const FULL_PRECISION = 0xffff;

/** As interval_support in timestamp.c: fields below the smallest of the new type would be cut off. */
function keepsInterval(from: CatalogType['modifiers'], to: CatalogType['modifiers']): boolean {
  const [oldRange = FULL_RANGE, oldPrecision = FULL_PRECISION] = from;
  const [range = FULL_RANGE, precision = FULL_PRECISION] = to;
  if (leastField(range) > leastField(oldRange)) return false;
  return leastField(oldRange) > 0 || precision >= MAX_PRECISION || precision >= oldPrecision;
}

/** Bits of the fields in a modifier (INTERVAL_MASK in timestamp.h, numbers in datetime.h), from the smallest field. */
const FIELD_BITS = [1 << 12, 1 << 11, 1 << 10, 1 << 3, 1 << 1, 1 << 2];

/** 0 for seconds, 5 for years. */
function leastField(range: number): number {
  return FIELD_BITS.findIndex((bit) => (range & bit) !== 0);
}

function isTimestampPair(from: string, to: string): boolean {
  return (from === 'timestamp' && to === 'timestamptz') || (from === 'timestamptz' && to === 'timestamp');
}

/** The time zones that never were at another distance than zero from UTC; Europe/London, in winter the same, is none. */
const CONSTANT_UTC = /^(etc\/)?(utc|uct|universal|zulu|gmt|gmt[+-]?0|greenwich)$/i;

function isConstantUtc(timeZone: string | undefined): boolean {
  return timeZone !== undefined && CONSTANT_UTC.test(timeZone);
}

/** An index is kept when the bytes are, it is plain, and its operators are those of the new type as well. */
function isRebuilt(
  schema: RunSchema,
  index: CatalogIndex,
  old: CatalogType | undefined,
  to: CatalogType,
  isForced: boolean,
): boolean {
  if (isForced || index.isComputed || old === undefined) return true;
  return !sameFamily(schema, old, to);
}

/** Whether an index on the one type serves the other with the same operators. */
function sameFamily(schema: RunSchema, one: CatalogType, other: CatalogType): boolean {
  const [a, b] = [baseOf(schema, one), baseOf(schema, other)];
  return a.isArray === b.isArray && operatorsOf(a) === operatorsOf(b);
}

function operatorsOf(type: CatalogType): string {
  if (type.schema !== 'pg_catalog') return `${type.schema}.${type.name}`;
  if (type.name === 'varchar') return 'text';
  return type.name === 'cidr' ? 'inet' : type.name;
}

function domainOf(schema: RunSchema, type: CatalogType) {
  return type.schema === 'pg_catalog' ? undefined : schema.domain({ schema: type.schema, name: type.name });
}

/** The type below a domain, which the server works with; other types are their own base. */
function baseOf(schema: RunSchema, type: CatalogType): CatalogType {
  const domain = type.isArray ? undefined : domainOf(schema, type);
  // The server forgets the length of a domain's type: varchar(20) over a domain of varchar(10) rewrites.
  return domain ? { ...baseOf(schema, domain.base), modifiers: [] } : type;
}

function isSameType(one: CatalogType, other: CatalogType): boolean {
  return one.schema === other.schema && one.name === other.name;
}

function isSame(one: CatalogType, other: CatalogType): boolean {
  return isSameType(one, other) && String(one.modifiers) === String(other.modifiers);
}
