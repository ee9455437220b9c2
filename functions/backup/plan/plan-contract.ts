// What a backup is going to copy (plan.json) and what a pass over one of its groups has copied (work/<group>-<pass>.json):
// the contract between the steps of a backup. The inline driver hands the same values over in memory.
import * as z from 'zod';
import { copiedRangeShape, sequenceValueSchema, storedObjectSchema } from '../../shared/backup-manifest.ts';

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const plannedRange = z.strictObject({
  /** Heap blocks from (inclusive) to (exclusive); null is the end of the table. `[0, null]` is the whole table. */
  blocks: z.tuple([count, count.nullable()]),
  /** Reserved part numbers of the table's upload: `parts` of them from `firstPart`. */
  firstPart: z.int().min(1),
  parts: z.int().min(1),
  /** Heap and TOAST bytes, estimated by the range's share of the blocks. */
  estimatedBytes: count,
});

const plannedTable = z.strictObject({
  schema: z.string(),
  name: z.string(),
  oid: count,
  /** pg_class.relfilenode through the snapshot: another one now means that the rows are gone. */
  relfilenode: count,
  dumpId: count,
  /** Of the heap, when the plan was made. */
  blocks: count,
  /** From pg_dump's own COPY statement: without generated and dropped columns. */
  columns: z.array(z.string()),
  key: z.string(),
  /** Null for a table of one range that is expected to fit into one part: its worker decides. */
  uploadId: z.string().nullable(),
  /** pg_extension.extcondition of an extension's configuration table, as `WHERE …`. */
  condition: z.string().nullable(),
  /** `on` only where a policy lets the backup role see every row. */
  rowSecurity: z.enum(['off', 'on']),
  /** Size of a part of its upload, before the growth of a range that runs out of numbers. */
  partBytes: z.int().min(5_242_880),
  ranges: z.array(plannedRange).min(1),
});

/** Large objects that one worker stores, one after the other. */
const plannedLargeObjects = z.strictObject({ oids: z.array(count).min(1), estimatedBytes: count });

const workItem = z.union([
  z.strictObject({
    dumpId: count,
    range: plannedRange,
    uploadId: z.string().optional().describe('of a table that was planned as one range and had to be split'),
  }),
  z.strictObject({ largeObjects: count.describe('index in plan.largeObjects') }),
]);

export const backupPlanSchema = z.strictObject({
  planVersion: z.literal(1),
  database: z.string(),
  backupId: z.string(),
  executionId: z.string(),
  trigger: z.enum(['schedule', 'manual']),
  scheduledTime: z.iso.datetime(),
  takenAt: z.iso.datetime(),
  server: z.strictObject({
    version: z.string(),
    major: z.int(),
    aurora: z.boolean(),
    serverId: z.string(),
    encoding: z.string(),
    /** pg_current_snapshot(): every worker must see the same. */
    snapshot: z.string(),
    /** pg_postmaster_start_time() and inet_server_addr():inet_server_port(): a worker that sees others is elsewhere. */
    startedAt: z.string(),
    address: z.string(),
  }),
  clientVersion: z.string(),
  archiveVersion: z.string(),
  codec: z.enum(['gzip', 'zstd']),
  /** In the order of the archive. */
  tables: z.array(plannedTable),
  largeObjects: z.array(plannedLargeObjects),
  /** Work by group: largest first, about equal bytes each. At most 1,000 groups (Distributed Map's state limits). */
  groups: z.array(z.array(workItem).min(1)),
  sequences: z.array(sequenceValueSchema),
  excluded: z.array(z.string()),
  readByPolicy: z.array(z.string()),
  notSeen: z.array(z.string()),
  extensions: z.array(z.strictObject({ name: z.string(), version: z.string() })),
  roles: z.array(z.string()),
  /** What is stored already: toc.dat, the lists of large objects, globals.sql, inventory.json. */
  stored: z.array(storedObjectSchema),
});

export type BackupPlan = z.output<typeof backupPlanSchema>;
export type PlannedTable = z.output<typeof plannedTable>;
export type PlannedRange = z.output<typeof plannedRange>;
export type PlannedLargeObjects = z.output<typeof plannedLargeObjects>;
export type WorkItem = z.output<typeof workItem>;

const copiedRange = z.strictObject({
  dumpId: count,
  ...copiedRangeShape,
  /** Null when the whole table was small enough for one put; its object is complete then. */
  upload: z
    .strictObject({
      uploadId: z.string(),
      parts: z.array(z.strictObject({ partNumber: z.int().min(1), etag: z.string(), bytes: count })),
    })
    .nullable(),
  /** Of the object when it was put whole: its bytes with the tail member. */
  object: storedObjectSchema.nullable(),
});

const copiedLargeObject = z.strictObject({
  oid: count,
  /** Of the content. */
  bytes: count,
  sha256,
  object: storedObjectSchema,
});

export const copiedWorkSchema = z.strictObject({
  workVersion: z.literal(1),
  executionId: z.string(),
  group: count,
  pass: z.int().min(1),
  ranges: z.array(copiedRange),
  largeObjects: z.array(copiedLargeObject),
  /** What the next pass has to do, because the time of this one was over; a range that was begun is split in two. */
  remaining: z.array(workItem),
});

export type CopiedWork = z.output<typeof copiedWorkSchema>;
export type CopiedRange = z.output<typeof copiedRange>;
export type CopiedLargeObject = z.output<typeof copiedLargeObject>;
