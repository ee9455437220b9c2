// Values for generated rows, as text that the server reads in the type of the column. The same place gives the same value in
// every run. Pure.
import { createHash } from 'node:crypto';
import type { FillableColumn } from './fillable-tables.ts';

/**
 * The value of a column in row `index` (from 0); undefined for a type that nothing is known of.
 *
 * Rows differ from each other as far as the type has room for it, and all dates of a row are the same day, so that unique
 * constraints hold and no end comes before its beginning.
 */
export function columnValue(column: FillableColumn, index: number): string | undefined {
  const { type, category, kind, labels, element } = column;
  if (labels) return labels[index % Math.max(1, labels.length)];
  if (category === 'A' && element !== null) return arrayOf(column, element, index);
  if (kind === 'c') return `(${','.repeat(Math.max(0, column.attributes - 1))})`;
  if (kind === 'r') return RANGES[type]?.(index) ?? 'empty';
  if (kind === 'm') return '{}';
  if (TEXT_TYPES.has(type)) return textValue(column, index);
  if (type === 'numeric') return numericValue(column.modifier, index);
  if (type === 'bit' || type === 'varbit') return bitsOf(column, index);
  return VALUES[type]?.(index, column);
}

/** Values that the CHECKs of the column name, for a second try: what stands in quotes, and numbers. */
export function valuesNamedInChecks({ checks }: FillableColumn): string[] {
  const texts = (checks ?? []).flatMap((check) =>
    [...check.matchAll(/'((?:[^']|'')*)'/g)].map(([, text = '']) => text),
  );
  const numbers = (checks ?? []).flatMap((check) =>
    [...check.matchAll(/(?<![\w'.])-?\d+(?:\.\d+)?(?![\w'.])/g)].map(([text]) => text),
  );
  return [...new Set([...texts.map((text) => text.replaceAll("''", "'")), ...numbers])];
}

const TEXT_TYPES: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'name', 'citext']);
const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.UTC(2024, 0, 1);

const day = (index: number) => new Date(FIRST_DAY_MS + index * DAY_MS).toISOString().slice(0, 10);
const instant = (index: number) => `${day(index)} 12:00:00+00`;
const whole = (index: number) => String(index + 1);
const hex = (index: number, { name }: FillableColumn) => createHash('sha256').update(`${name} ${index}`).digest('hex');

const VALUES: Readonly<Record<string, (index: number, column: FillableColumn) => string>> = {
  bool: (index) => (index % 2 === 0 ? 'true' : 'false'),
  int2: whole,
  int4: whole,
  int8: whole,
  oid: whole,
  float4: (index) => `${index + 1}.5`,
  float8: (index) => `${index + 1}.5`,
  money: (index) => `${index + 1}`,
  uuid: (index, column) =>
    hex(index, column).replace(
      /^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/,
      (_all, a, b, c, d, e) => `${a}-${b}-4${c}-8${d}-${e}`,
    ),
  date: day,
  timestamp: instant,
  timestamptz: instant,
  time: (index) => `12:${String(index % 60).padStart(2, '0')}:00`,
  timetz: (index) => `12:${String(index % 60).padStart(2, '0')}:00+00`,
  interval: (index) => `${index + 1} hours`,
  json: (index) => `{"n": ${index + 1}}`,
  jsonb: (index) => `{"n": ${index + 1}}`,
  xml: (index) => `<n>${index + 1}</n>`,
  bytea: (index, column) => `\\x${hex(index, column).slice(0, 16)}`,
  inet: (index) => `10.0.0.${(index % 250) + 1}`,
  cidr: (index) => `10.0.${(index % 250) + 1}.0/24`,
  macaddr: (index) => `08:00:2b:01:02:${((index % 250) + 1).toString(16).padStart(2, '0')}`,
  macaddr8: (index) => `08:00:2b:01:02:03:04:${((index % 250) + 1).toString(16).padStart(2, '0')}`,
  point: (index) => `(${index},${index})`,
  lseg: (index) => `((${index},0),(${index},1))`,
  line: (index) => `{1,1,${index}}`,
  box: (index) => `((${index + 1},1),(${index},0))`,
  path: (index) => `((${index},0),(${index},1))`,
  polygon: (index) => `((${index},0),(${index},1),(${index + 1},1))`,
  circle: (index) => `<(${index},0),1>`,
  tsvector: (index) => `'word${index + 1}'`,
  tsquery: (index) => `'word${index + 1}'`,
  pg_lsn: (index) => `0/${(index + 1).toString(16)}`,
  hstore: (index) => `"n"=>"${index + 1}"`,
  ltree: (index) => `top.n${index + 1}`,
};

/** Ranges of two rows do not overlap, which exclusion constraints want. */
const RANGES: Readonly<Record<string, (index: number) => string>> = {
  int4range: (index) => `[${index * 10},${index * 10 + 1})`,
  int8range: (index) => `[${index * 10},${index * 10 + 1})`,
  numrange: (index) => `[${index * 10},${index * 10 + 1})`,
  daterange: (index) => `[${day(index * 10)},${day(index * 10 + 1)})`,
  tsrange: (index) => `["${day(index * 10)} 00:00:00","${day(index * 10 + 1)} 00:00:00")`,
  tstzrange: (index) => `["${day(index * 10)} 00:00:00+00","${day(index * 10 + 1)} 00:00:00+00")`,
};

function textValue({ name, modifier }: FillableColumn, index: number): string {
  const wanted = /e?mail/i.test(name)
    ? `user${index + 1}@example.com`
    : `${name.toLowerCase().replaceAll(/\W/g, '_')}_${index + 1}`;
  // The modifier of varchar(n) and char(n) is n + 4; without a length it is -1.
  const room = modifier < 5 ? Number.POSITIVE_INFINITY : modifier - 4;
  return wanted.length <= room ? wanted : (index + 1).toString(36).slice(-room);
}

/** Fits in numeric(precision, scale), of which the modifier holds both. */
function numericValue(modifier: number, index: number): string {
  if (modifier < 0) return `${index + 1}`;
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (modifier - 4) & 0x7ff;
  const digits = Math.min(precision - scale, 9);
  if (digits > 0) return String((index + 1) % 10 ** digits);
  return `0.${String((index + 1) % 10).padEnd(Math.max(1, scale), '0')}`;
}

function bitsOf({ modifier }: FillableColumn, index: number): string {
  const bits = (index + 1).toString(2);
  return modifier < 1 ? bits : bits.slice(-modifier).padStart(modifier, '0');
}

function arrayOf(column: FillableColumn, element: string, index: number): string {
  const inner = { ...column, type: element, category: 'U', kind: 'b', element: null, labels: null };
  const value = columnValue(inner, index);
  return value === undefined ? '{}' : `{"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"}`;
}
