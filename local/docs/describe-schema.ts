// Turns a JSON Schema into rows that a person reads: path, allowed values, meaning.
import * as z from 'zod';

export interface SchemaRow {
  path: string;
  required: boolean;
  allowed: string;
  fallback: string | undefined;
  about: string;
}

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The JSON Schema of what a caller may give (`input`) or gets (`output`). */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return z.toJSONSchema(schema, { io });
}

/** One row per value, depth first in the order of the schema. */
export function schemaRows(schema: JsonSchema, path = ''): SchemaRow[] {
  const rows: SchemaRow[] = [];
  const required = new Set(schema.required ?? []);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (typeof property === 'boolean') continue;
    const inner = withoutNull(property);
    const here = path === '' ? name : `${path}.${name}`;
    const items = inner.type === 'array' ? itemsOf(inner) : undefined;
    const nested = items?.properties ? schemaRows(items, `${here}[]`) : inner.properties ? schemaRows(inner, here) : [];
    rows.push({
      path: here,
      required: required.has(name) && inner.default === undefined,
      allowed: allowedOf(property),
      fallback: inner.default === undefined ? undefined : JSON.stringify(inner.default),
      about: property.description ?? inner.description ?? '',
    });
    rows.push(...nested);
  }
  return rows;
}

function withoutNull(schema: JsonSchema): JsonSchema {
  if (Array.isArray(schema.type)) {
    const [type, ...more] = schema.type.filter((one) => one !== 'null');
    return type !== undefined && more.length === 0 && schema.type.length > 1 ? { ...schema, type } : schema;
  }
  const choices = (schema.anyOf ?? []).filter((one): one is JsonSchema => typeof one !== 'boolean');
  const rest = choices.filter(({ type }) => type !== 'null');
  return rest.length === 1 && rest[0]
    ? { ...rest[0], ...(schema.default !== undefined && { default: schema.default }) }
    : schema;
}

function itemsOf(schema: JsonSchema): JsonSchema | undefined {
  const { items } = schema;
  return typeof items === 'object' && !Array.isArray(items) ? items : undefined;
}

function allowedOf(schema: JsonSchema): string {
  const inner = withoutNull(schema);
  const orNull = inner === schema ? '' : ' or null';
  if (inner.const !== undefined) return `\`${JSON.stringify(inner.const)}\`${orNull}`;
  if (inner.enum) return `${inner.enum.map((one) => `\`${JSON.stringify(one)}\``).join(', ')}${orNull}`;
  switch (inner.type) {
    case 'integer':
    case 'number':
      return `${inner.type === 'integer' ? 'whole number' : 'number'}${rangeOf(inner)}${orNull}`;
    case 'string':
      return `${inner.format ? `${inner.format} text` : 'text'}${inner.pattern && !inner.format ? ` matching \`${inner.pattern.replaceAll('|', '\\|')}\`` : ''}${orNull}`;
    case 'boolean':
      return `true or false${orNull}`;
    case 'array':
      return `list${orNull}`;
    default:
      return `object${orNull}`;
  }
}

/** JavaScript's own limits are no limits that a person should read. */
function rangeOf({ minimum, maximum }: JsonSchema): string {
  const low = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const high = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  if (low !== undefined) return `, at least ${low}`;
  return high === undefined ? '' : `, at most ${high}`;
}
