// Shows what a purge does: a line for each fact that it logs, and how far it is, in one line that is written over on a terminal
// and a new one now and then elsewhere.
import type { WriteStream } from 'node:tty';
import type { PurgeProgress as Batch } from '../../functions/purge/purge-context.ts';
import type { Clock } from '../../functions/shared/clock.ts';
import { describeCount, describeDuration } from '../../functions/shared/describe-amounts.ts';
import type { Log, LogFields } from '../../functions/shared/log.ts';
import { terminalLines } from '../terminal-lines.ts';

const SHOW_EVERY_MS = { onTerminal: 200, elsewhere: 10_000 } as const;
const BAR_CELLS = 16;
/** Before that a speed is a guess. */
const LEAST_MS = 2_000;

export interface PurgeProgress {
  /** For the run: its facts become lines. */
  readonly log: Log;
  line(this: void, text: string): void;
  /** Rows of each policy that may go, by its name: what a bar is measured against. */
  expect(this: void, rows: ReadonlyMap<string, number>): void;
  batchDone(this: void, batch: Batch): void;
  /** How long it waits still, and what for; a countdown only where it can be written over. */
  waits(this: void, text: string, isNew: boolean): void;
  /** Ends the line that is written over; may be called again. */
  clear(this: void): void;
}

/** Writes to `output` (stderr). */
export function createProgress(
  output: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>,
  clock: Pick<Clock, 'monotonicMs'>,
): PurgeProgress {
  const lines = terminalLines(output);
  const everyMs = lines.isTerminal ? SHOW_EVERY_MS.onTerminal : SHOW_EVERY_MS.elsewhere;
  let expected: ReadonlyMap<string, number> = new Map();
  /** When the first batch of a policy had ended, with the rows that were done by then. */
  const begun = new Map<string, { ms: number; rows: number }>();
  /** Rows of passes before: each pass counts anew. */
  const before = new Map<string, number>();
  const newest = new Map<string, number>();
  let shownMs = Number.NEGATIVE_INFINITY;
  const told = (event: string, fields: LogFields = {}) => {
    const text = describeFact(event, fields);
    if (text !== undefined) lines.line(text);
  };
  return {
    log: { info: told, warn: told, error: told },
    line: lines.line,
    expect: (rows) => (expected = rows),
    batchDone: (batch) => {
      const { policy } = batch;
      if (batch.rows < (newest.get(policy) ?? 0))
        before.set(policy, (before.get(policy) ?? 0) + (newest.get(policy) ?? 0));
      newest.set(policy, batch.rows);
      const rows = (before.get(policy) ?? 0) + batch.rows;
      const nowMs = clock.monotonicMs();
      const start = begun.get(policy) ?? { ms: nowMs, rows };
      begun.set(policy, start);
      if (nowMs - shownMs < everyMs) return;
      shownMs = nowMs;
      const sinceMs = nowMs - start.ms;
      lines.over(
        progressLine({
          ...batch,
          rows,
          expected: expected.get(policy),
          rowsPerSecond: sinceMs >= LEAST_MS ? ((rows - start.rows) / sinceMs) * 1_000 : undefined,
        }),
      );
    },
    waits: (text, isNew) => {
      if (lines.isTerminal || isNew) lines.over(text);
    },
    clear: lines.clear,
  };
}

interface Shown extends Pick<Batch, 'policy' | 'rows' | 'batchRows' | 'batchMs'> {
  /** Rows that may go, as planned. */
  expected: number | undefined;
  rowsPerSecond: number | undefined;
}

/** `events  ████░░░░  41 %  820,000 of 2,000,000 rows  34,000/s  35 s left  5,000 rows in 92 ms`. Pure. */
export function progressLine({ policy, rows, expected, rowsPerSecond, batchRows, batchMs }: Shown): string {
  const batch = `${describeCount(batchRows)} rows in ${Math.round(batchMs)} ms`;
  // More than was counted: rows have come of age since, or it goes on behind an earlier run.
  if (expected === undefined || expected === 0 || rows > expected)
    return [policy, `${describeCount(rows)} rows`, ...speed(rowsPerSecond), batch].join('  ');
  const share = rows / expected;
  const cells = Math.round(share * BAR_CELLS);
  const leftMs = rowsPerSecond === undefined || rowsPerSecond === 0 ? undefined : (expected - rows) / rowsPerSecond;
  return [
    policy,
    `${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)}`,
    `${Math.floor(share * 100)} %`,
    `${describeCount(rows)} of ${describeCount(expected)} rows`,
    ...speed(rowsPerSecond),
    ...(leftMs === undefined ? [] : [`about ${describeDuration(leftMs * 1_000)} left`]),
    batch,
  ].join('  ');
}

function speed(rowsPerSecond: number | undefined): string[] {
  return rowsPerSecond === undefined ? [] : [`${describeCount(rowsPerSecond)}/s`];
}

/** The line of a fact, or undefined for one that the result or the bar says as well. */
function describeFact(event: string, fields: LogFields): string | undefined {
  const text = (name: string) => {
    const value = fields[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  switch (event) {
    case 'purge.batch_done':
    case 'purge.policy_planned':
    case 'purge.policy_carried_out':
    case 'purge.policy_failed':
    case 'purge.no_policy':
      return undefined;
    case 'purge.batch_too_long':
      return `a batch of ${text('rows')} rows took too long and was rolled back; the next one is half as large`;
    case 'purge.run_vanished':
      return `${text('policy')}: an earlier run ended without saying so; this one goes on behind its last batch`;
    case 'purge.partition_detached':
      return `${text('policy')}: ${text('table')} is detached`;
    case 'purge.partition_dropped':
      return `${text('policy')}: ${text('table')} is dropped`;
    case 'purge.partition_kept':
      return `${text('policy')}: ${text('table')} is kept: ${text('problem')}`;
    case 'purge.partition_lock_not_gained':
      return `${text('problem')}; try ${text('attempt')}, again in ${describeDuration(Number(fields['pause_ms'] ?? 0))}`;
    default:
      return 'problem' in fields ? `${event}: ${text('problem')}` : event;
  }
}
