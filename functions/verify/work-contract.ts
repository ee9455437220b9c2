// What one group has read, for finish to join; a run without steps hands it over in memory.
import * as z from 'zod';
import { findingSchema, sampleSchema } from '../shared/verification.ts';

const count = z.int().min(0);

const readRange = z.strictObject({
  /** Index in the tables of the manifest. */
  table: count,
  /** Index in the ranges of the table. */
  range: count,
  rows: count,
  /** Of COPY text. */
  bytes: count,
  /** Row digest; null when the range is damaged. */
  digest: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .nullable(),
});

const readLargeObject = z.strictObject({
  oid: count,
  /** Of the content. */
  bytes: count,
  /** Of the content; null when the object is damaged. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
});

export const readWorkSchema = z.strictObject({
  workVersion: z.literal(1),
  verificationId: z.string(),
  backupId: z.string(),
  sample: sampleSchema.nullable(),
  group: count,
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** Whether it has looked at everything but the rows and the large objects: numbers, list of objects, toc.dat, globals. */
  structure: z.boolean(),
  /** In the order of the manifest. */
  ranges: z.array(readRange),
  /** In order of OID. */
  largeObjects: z.array(readLargeObject),
  /** Stored bytes that were read. */
  bytes: count,
  findings: z.array(findingSchema),
  findingCount: count,
});

export type ReadWork = z.output<typeof readWorkSchema>;
export type RangeRead = z.output<typeof readRange>;
export type LargeObjectRead = z.output<typeof readLargeObject>;
