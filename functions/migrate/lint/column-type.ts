// The type of a column as a file writes it, in the words of the catalog.
import type { TypeName } from 'libpg-query';
import type { CatalogType } from './lint-catalog.ts';
import type { RunSchema } from './run-schema.ts';
import { nameOfType } from './statement-parts.ts';
import { writtenModifiers } from './type-modifiers.ts';

/** `serial` and its kin are no types: the parser keeps the word, the server makes an integer with a sequence of it. */
const SERIAL_TYPES: Readonly<Record<string, string>> = {
  smallserial: 'int2',
  serial2: 'int2',
  serial: 'int4',
  serial4: 'int4',
  bigserial: 'int8',
  serial8: 'int8',
};

/** Whether a column of that type gets a sequence. */
export function isSerial(type: TypeName | undefined): boolean {
  return nameOfType(type).name in SERIAL_TYPES;
}

/** Types of the server by name; a name without a schema means these before any of the user. */
const SERVER_TYPES: ReadonlySet<string> = new Set(
  `bit bool box bpchar bytea char cidr circle date daterange datemultirange float4 float8 inet int2 int4 int8 int4range
  int8range interval json jsonb jsonpath line lseg macaddr macaddr8 money name numeric numrange oid oidvector path
  pg_lsn point polygon regclass regproc regtype text tid time timestamp timestamptz timetz tsquery tsrange tstzrange
  tsvector uuid varbit varchar xid xid8 xml`.split(/\s+/),
);

export function columnType(type: TypeName | undefined, schema: RunSchema): CatalogType {
  const written = nameOfType(type);
  const name = SERIAL_TYPES[written.name] ?? written.name;
  const isServers = written.schema === 'pg_catalog' || (written.schema === undefined && SERVER_TYPES.has(name));
  return {
    schema: isServers ? 'pg_catalog' : (schema.domain(written)?.schema ?? schema.schemaOf(written)),
    name,
    isArray: (type?.arrayBounds ?? []).length > 0,
    modifiers: writtenModifiers(name, type?.typmods),
  };
}

/** As a person writes it: `varchar(20)[]`. */
export function showType({ schema, name, isArray, modifiers }: CatalogType): string {
  const bare = schema === 'pg_catalog' ? name : `${schema}.${name}`;
  return `${bare}${modifiers.length > 0 ? `(${modifiers.join(',')})` : ''}${isArray ? '[]' : ''}`;
}
