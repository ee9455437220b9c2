// What rehearse answers: per statement what it locks, scans, rewrites and builds, and how long that would take live.
import * as z from 'zod';

const count = z.int().min(0);
const seconds = z
  .number()
  .min(0)
  .nullable()
  .describe('with the sizes of the live tables and the rates of this server, its pages in memory; null: not known');

export const rehearsedStatementSchema = z.strictObject({
  number: count,
  line: count,
  firstLine: z.string(),
  unit: z.string().describe('`transaction`, `batch`, or the long operation that runs alone'),
  problem: z.string().nullable().describe('why it failed; null when it ran'),
  locks: z
    .array(z.strictObject({ mode: z.string(), table: z.string() }))
    .nullable()
    .describe(
      'locks that this statement was the first of its transaction to take, on what was there before; null: not seen',
    ),
  rewritten: z.array(z.string()).describe('tables that got a new file'),
  indexesBuilt: z
    .array(z.strictObject({ index: z.string(), table: z.string() }))
    .describe('indexes made or built anew on tables that were there before'),
  scanned: z.array(
    z.strictObject({
      table: z.string(),
      tuples: count,
      passes: z.number().nullable().describe('tuples for each row of the copy; null for a table that had none'),
    }),
  ),
  changed: z
    .array(z.strictObject({ table: z.string(), rows: count }))
    .describe('rows that it inserted, updated or deleted'),
  ms: z.number().min(0).describe('on the copy'),
  expectedSeconds: seconds,
});

export type RehearsedStatement = z.output<typeof rehearsedStatementSchema>;

export const rehearsedFileSchema = z.strictObject({
  file: z.string(),
  checksum: z.string(),
  outcome: z.enum(['rehearsed', 'failed']),
  problem: z.string().nullable(),
  statements: z.array(rehearsedStatementSchema),
  expectedSeconds: seconds,
});

export type RehearsedFile = z.output<typeof rehearsedFileSchema>;

export const ratesSchema = z.strictObject({
  scanBytesPerSecond: z.number().positive(),
  rewriteBytesPerSecond: z.number().positive(),
  indexRowsPerSecond: z.number().positive(),
  changeRowsPerSecond: z.number().positive(),
});

export type Rates = z.output<typeof ratesSchema>;

export const rehearsalResultSchema = z.strictObject({
  files: z.array(rehearsedFileSchema),
  notRehearsed: z.array(z.string()).describe('files after one that failed'),
  notCopied: z
    .array(z.strictObject({ what: z.string(), reason: z.string() }))
    .describe('the first of what the scratch database lacks of the live schema'),
  notCopiedCount: count,
  tablesWithoutRows: z
    .array(z.strictObject({ table: z.string(), reason: z.string() }))
    .describe('tables of the copy that took no row: scans of them are not seen'),
  rates: ratesSchema,
  serverVersion: z.string(),
  durationMs: count,
});

export type RehearsalResult = z.output<typeof rehearsalResultSchema>;
