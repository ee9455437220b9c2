// The inventory: what the catalog of the source held when a backup was made, found without pg_dump's table of contents.
// Written by backup beside the archive, read by the restore drill, which takes one of the restored database, too.
import * as z from 'zod';
import { describeIssues } from './describe-issues.ts';
import { describeError, JobFailure } from './job-failure.ts';

const INVENTORY_VERSION = 1;

/** Kind, identity, and digest of the definition; null: it was changed while it was read, so only its name is known. */
const entrySchema = z.tuple([
  z.string(),
  z.string(),
  z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .nullable(),
]);

export type InventoryEntry = z.output<typeof entrySchema>;

export const inventorySchema = z.strictObject({
  inventoryVersion: z.literal(INVENTORY_VERSION),
  /** Of the server: definitions of one major are compared by digest, those of two by name only. */
  major: z.int(),
  database: z.strictObject({
    encoding: z.string(),
    /** As pg_database has it: `c`, `i` or `b`. */
    localeProvider: z.string(),
    collate: z.string(),
    ctype: z.string(),
    /** Of ICU and of the built-in provider. */
    locale: z.string().nullable(),
    /** For information: another server has another version. */
    collationVersion: z.string().nullable(),
    /** The text of money depends on it, and no session of a backup chooses it. */
    lcMonetary: z.string(),
  }),
  /** Collations of the server (of schema pg_catalog) that columns and domains name. */
  collations: z.array(z.string()),
  /** A filter left objects out, so it cannot tell what is too many. */
  isFiltered: z.boolean(),
  /** Null when the catalog could not be read: `problem` says why. In order of kind and identity. */
  entries: z.array(entrySchema).nullable(),
  problem: z.string().nullable(),
});

export type Inventory = z.output<typeof inventorySchema>;

/** Kinds that a restore without owners and grants does not bring back. */
export const OWNERSHIP_KINDS: ReadonlySet<string> = new Set(['owner', 'privileges', 'default privileges']);

/** An inventory from its text; throws `inventory.wrong` for anything else than the known version, whole. */
export function parseInventory(key: string, text: string): Inventory {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong(key, `it is not JSON: ${describeError(error)}`);
  }
  const parsed = inventorySchema.safeParse(json);
  if (!parsed.success) throw wrong(key, describeIssues(parsed.error, json).slice(0, 5).join('; '));
  return parsed.data;
}

/** The JSON of an inventory: one entry in a line, equal bytes for equal inventories. */
export function inventoryText({ entries, ...head }: Inventory): string {
  const lines = entries?.map((entry) => JSON.stringify(entry)).join(',\n');
  const list = lines === undefined ? 'null' : `[\n${lines}\n]`;
  return `${JSON.stringify({ ...head, entries: null }).replace(/null\}$/, list)}}\n`;
}

/**
 * Of two readings, one before pg_dump began and one after its table of contents was whole.
 *
 * What the server says of an index or a trigger is of now and not of the snapshot. So an object with another definition in
 * each was being changed, and keeps its name only; one that is in one of them alone came or went, and is left out.
 */
export function mergeReadings(before: Inventory, after: Inventory): Inventory {
  if (before.entries === null || after.entries === null) return before.entries === null ? before : after;
  const digests = new Map(before.entries.map(([kind, identity, digest]) => [nameOf(kind, identity), digest]));
  const entries = after.entries.flatMap(([kind, identity, digest]): InventoryEntry[] => {
    const earlier = digests.get(nameOf(kind, identity));
    return earlier === undefined ? [] : [[kind, identity, earlier === digest ? digest : null]];
  });
  return { ...after, entries };
}

function nameOf(kind: string, identity: string): string {
  return `${kind} ${identity}`;
}

/** As a person says it: `index "app"."notes" "notes_pkey"`, `owner of table "app"."notes"`. */
export function inventoryName(kind: string, identity: string): string {
  if (kind === 'owner' || kind === 'privileges') return `${kind} of ${identity}`;
  return kind === 'comment' ? `comment on ${identity}` : `${kind} ${identity}`;
}

function wrong(key: string, problem: string): JobFailure {
  return new JobFailure({
    code: 'inventory.wrong',
    problem: `the inventory "${key}" cannot be used: ${problem}`,
    safeState: 'Definitions were not compared; the backup was neither read nor changed',
    hint: 'deploy the version of Nightshift that wrote it, or look at the object in S3',
  });
}
