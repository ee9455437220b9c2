// Whether the default of a new column is the same for all rows: then the server stores it once and does not rewrite the table.
import type { Node } from 'libpg-query';
import type { RunSchema } from './run-schema.ts';
import { namesOf, nodesBelow, showName, writtenName } from './statement-parts.ts';

/** Functions of the server that a default may call, for when there is no catalog to ask. */
const VOLATILE: ReadonlySet<string> = new Set(
  `clock_timestamp currval gen_random_bytes gen_random_uuid lastval nextval random random_normal setval timeofday
  uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuidv4 uuidv7`.split(/\s+/),
);
const NOT_VOLATILE: ReadonlySet<string> = new Set(
  `abs array_fill array_length btrim ceil char_length coalesce concat concat_ws current_database current_setting
  current_user date_part date_trunc decode encode extract floor format hashtext inet_client_addr initcap int4range
  int8range interval json_build_array json_build_object jsonb_build_array jsonb_build_object length lower lpad ltrim
  make_date make_interval make_time make_timestamp make_timestamptz md5 now numrange pg_backend_pid quote_literal
  repeat replace reverse round rpad rtrim session_user sha256 split_part statement_timestamp strpos substr substring
  timezone to_char to_date to_json to_jsonb to_number to_timestamp transaction_timestamp translate trim trunc txid_current
  tsrange tstzrange upper user`.split(/\s+/),
);

/** Functions that call each other without end would be followed without end. */
const DEEPEST = 20;

/** The first call that is, or could be, different for each row. */
export function volatileCall(
  expression: Node | undefined,
  schema: RunSchema,
  depth = 0,
): { name: string; isSure: boolean } | undefined {
  for (const node of nodesBelow([expression])) {
    if (!('FuncCall' in node)) continue;
    const written = writtenName(namesOf(node.FuncCall.funcname));
    const name = showName(written);
    const known = schema.func(written);
    if (known?.volatility === 'volatile') {
      // Marked so, or not marked at all: the server looks into the body of a simple function in SQL and knows better.
      if (known.inlined === undefined || depth > DEEPEST) return { name, isSure: true };
      const inner = volatileCall(known.inlined, schema, depth + 1);
      if (inner) return { name, isSure: inner.isSure };
    }
    if (known !== undefined) continue;
    if (VOLATILE.has(written.name)) return { name, isSure: true };
    if (!NOT_VOLATILE.has(written.name)) return { name, isSure: false };
  }
  return undefined;
}
