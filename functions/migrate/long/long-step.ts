// The statement that runs alone, as nightshift.migration_long_step and the server tell of it: for whoever comes while it runs, or
// after its client has gone.
import * as z from 'zod';
import type { DatabaseSession } from '../../shared/database.ts';
import { type Blocker, describeBlockers } from '../../shared/describe-blockers.ts';
import type { MigrationDirection } from '../../shared/migration-steps.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { CatalogFacts } from './long-work.ts';

export interface LongStep {
  readonly number: number;
  readonly direction: MigrationDirection;
  readonly statement_number: number;
  readonly operation: string;
  /** Its first line. */
  readonly statement: string;
  readonly process_id: number;
  readonly started_at: Date;
  readonly catalog_before: CatalogFacts;
  readonly batch_cursor: string | null;
  readonly rows_done: number;
  /** Whether the session is still there that it was sent on. */
  readonly is_connected: boolean;
  readonly is_at_work: boolean;
  readonly seconds: number;
  readonly phase: string | null;
  readonly done: number | null;
  readonly total: number | null;
  readonly unit: 'blocks' | 'rows' | null;
  readonly lockers_total: number | null;
  readonly lockers_done: number | null;
  readonly blockers: Blocker[] | null;
}

const count = z.int().min(0);

export const longReportSchema = z.strictObject({
  number: z.int(),
  direction: z.enum(['up', 'down']),
  statement: count.describe('its number in the file'),
  firstLine: z.string(),
  operation: z.string(),
  state: z
    .enum(['at work', 'waiting', 'stopped'])
    .describe(
      'at work: the server runs it, whether or not anybody listens; waiting: for the sessions in blockers; stopped: nothing runs, the next up or down goes on',
    ),
  processId: z.int().nullable().describe('of the session that runs it'),
  seconds: count.describe('since it was sent'),
  phase: z.string().nullable().describe('in the words of the server'),
  done: z.number().nullable(),
  total: z.number().nullable().describe('of this phase only'),
  unit: z.enum(['blocks', 'rows']).nullable(),
  etaSeconds: count.nullable().describe('at the pace since it was sent; null when nothing tells'),
  blockers: z.string().nullable(),
});

export type LongReport = z.output<typeof longReportSchema>;

/** The step that is under way, or undefined. */
export async function readLongStep(session: DatabaseSession): Promise<LongStep | undefined> {
  return (await session.query<LongStep>(readSqlFile('migrate/long-step.sql'))).rows[0];
}

/** What status and a run that cannot wait for its end say of it. */
export async function reportLongStep(step: LongStep): Promise<LongReport> {
  const isBatches = step.operation === 'batches';
  const blockers = step.blockers === null ? null : await describeBlockers(step.blockers);
  const rowsTotal = Number(step.catalog_before['rows'] ?? 0);
  const done = isBatches ? step.rows_done : step.done;
  // An estimate of the server can be lower than what was done already.
  const total = isBatches ? (rowsTotal > 0 ? Math.max(rowsTotal, step.rows_done) : null) : step.total;
  const isAtWork = isBatches ? step.is_connected : step.is_at_work;
  return {
    number: step.number,
    direction: step.direction,
    statement: step.statement_number,
    firstLine: step.statement,
    operation: step.operation,
    state: isAtWork ? (blockers === null ? 'at work' : 'waiting') : 'stopped',
    processId: isAtWork ? step.process_id : null,
    seconds: Math.max(0, Math.round(step.seconds)),
    phase: step.phase,
    done,
    total,
    unit: isBatches ? 'rows' : step.unit,
    etaSeconds: isAtWork ? secondsLeft(step.seconds, done, total) : null,
    blockers,
  };
}

/** At the pace since the start, which counts the phases before as well: rather too long than too short. */
function secondsLeft(seconds: number, done: number | null, total: number | null): number | null {
  if (done === null || total === null || done <= 0 || seconds <= 0) return null;
  return Math.max(0, Math.round((seconds * (total - done)) / done));
}
