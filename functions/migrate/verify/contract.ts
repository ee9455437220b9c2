// What verify answers: for each migration file a certificate, or why there is none.
import * as z from 'zod';
import { differenceSchema } from '../scratch/compare-snapshots.ts';

const checksum = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

export const certificateSchema = z.strictObject({
  file: z.string().describe('of the up file, as `migrations/0001_initial_schema.up.sql`'),
  checksum,
  downChecksum: checksum.nullable().describe('null for a migration without a down file'),
  outcome: z
    .enum(['certified', 'different', 'failed', 'irreversible'])
    .describe(
      'certified: up, down and up again gave equal catalogs and rows; irreversible: its header says so, not tried',
    ),
  problem: z.string().nullable().describe('which statement failed, or why it is irreversible'),
  differences: z
    .array(
      z.strictObject({
        after: z.enum(['down', 'second up']).describe('down: compared with before; second up: compared with the first'),
        ...differenceSchema.shape,
      }),
    )
    .describe('the first of them; rows by digest after down, by number after the second up'),
  differenceCount: count,
  tablesWithRows: z.array(z.string()).describe('tables that had rows when the file was reverted'),
  tablesWithoutRows: z
    .array(z.strictObject({ table: z.string(), reason: z.string() }))
    .describe('tables that stayed empty, so that nothing is proven of their rows'),
  durationMs: count,
  serverVersion: z.string(),
});

export type Certificate = z.output<typeof certificateSchema>;

export const verifyMigrationsResultSchema = z.strictObject({
  certificates: z.array(certificateSchema),
  notVerified: z.array(z.string()).describe('files after one whose up file failed: they were not tried'),
  durationMs: count,
});

export type VerifyMigrationsResult = z.output<typeof verifyMigrationsResultSchema>;
