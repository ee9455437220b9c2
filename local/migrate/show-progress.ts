// Shows what a run of migrate does: a line for each fact that it logs, and how far a statement is that runs alone: one line that is
// written over on a terminal, and now and then a new line elsewhere.
import type { WriteStream } from 'node:tty';
import type { LongReport } from '../../functions/migrate/long/long-step.ts';
import type { Clock } from '../../functions/shared/clock.ts';
import { describeDuration } from '../../functions/shared/describe-amounts.ts';
import { describeError } from '../../functions/shared/job-failure.ts';
import type { Log, LogFields } from '../../functions/shared/log.ts';
import { amount } from '../restore/describe-restore.ts';
import { terminalLines } from '../terminal-lines.ts';
import { describeLongStep, shortLongStep } from './describe-long-step.ts';

/** How often the line of a long statement is renewed. */
export const LOOK_EVERY_MS = { onTerminal: 1_000, elsewhere: 10_000 } as const;

export interface MigrateProgress {
  /** For the run: its facts become lines. */
  readonly log: Log;
  readonly everyMs: number;
  line(this: void, text: string): void;
  showLongStep(this: void, report: LongReport): void;
  /** Ends the line that is written over; may be called again. */
  clear(this: void): void;
}

/** Writes to `output` (stderr). */
export function createProgress(output: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>): MigrateProgress {
  const lines = terminalLines(output);
  const told = (event: string, fields: LogFields = {}) => {
    const text = describeFact(event, fields);
    if (text !== undefined) lines.line(text);
  };
  return {
    log: { info: told, warn: told, error: told },
    everyMs: lines.isTerminal ? LOOK_EVERY_MS.onTerminal : LOOK_EVERY_MS.elsewhere,
    line: lines.line,
    showLongStep: (report) => lines.over(lines.isTerminal ? shortLongStep(report) : describeLongStep(report)),
    clear: lines.clear,
  };
}

/** Looks again and again while a run is at work; a look that fails is said once, and is no failure of the run. */
export function watchLongStep(
  look: () => Promise<LongReport | undefined>,
  progress: MigrateProgress,
  clock: Clock,
): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const isStopped = () => stopped.signal.aborted;
  const watching = (async () => {
    let hasFailed = false;
    while (!isStopped()) {
      await clock.sleep(progress.everyMs, stopped.signal).catch(() => {});
      if (isStopped()) return;
      try {
        const report = await look();
        if (report !== undefined && report.state !== 'stopped' && !isStopped()) progress.showLongStep(report);
      } catch (error) {
        if (!hasFailed) progress.line(`how far it is could not be read: ${describeError(error)}`);
        hasFailed = true;
      }
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await watching;
      progress.clear();
    },
  };
}

/** The line of a fact, or undefined for one that the result says as well. */
function describeFact(event: string, fields: LogFields): string | undefined {
  const text = (name: string) => {
    const value = fields[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const file = `${text('number').padStart(4, '0')}${'name' in fields ? `_${text('name')}` : ''}`;
  const statements = amount(Number(fields['statements'] ?? 0), 'statement');
  const took = describeDuration(Number(fields['durationMs'] ?? 0));
  const statement = `${file} ${text('direction')}, statement ${text('statement')}`;
  switch (event) {
    case 'migrate.file_applied':
      return `${file}: applied, ${statements} in ${took}`;
    case 'migrate.file_reverted':
      return `${file}: reverted, ${statements} in ${took}`;
    case 'migrate.long_step_begun':
      return `${statement}, ${text('operation')}: runs alone (pid ${text('process_id')})`;
    case 'migrate.long_step_found_done':
      return `${statement}: the server had ended it by itself`;
    case 'migrate.long_step_repaired':
      return `${statement}: what a broken try has left is removed: ${text('repair')}`;
    case 'migrate.lock_not_gained':
      return `${text('problem')}; try ${text('attempt')} of ${text('attempts')}, again in ${describeDuration(Number(fields['pause_ms'] ?? 0))}`;
    case 'migrate.file_rehearsed':
    case 'migrate.file_verified':
      return `${text('file')}: ${text('outcome')}`;
    case 'migrate.up_to_date':
    case 'migrate.left_running':
    case 'migrate.baseline_set':
      return undefined;
    default:
      return 'problem' in fields ? `${event}: ${text('problem')}` : event;
  }
}
