// The results of migrate as a person reads them. Pure. Every state is a word: nothing is told by colour alone.
import type { MigrateResult } from '../../functions/migrate/contract.ts';
import { describeCount, describeDuration, describeInstant } from '../../functions/shared/describe-amounts.ts';
import type { Migration } from '../../functions/shared/migration-files.ts';
import type { AppliedMigration } from '../../functions/shared/migration-history.ts';
import { newTable } from '../result-table.ts';
import { describeLongStep } from './describe-long-step.ts';
import { printDrift } from './print-checks.ts';

type StatusResult = Extract<MigrateResult, { action: 'status' }>;
type RunResult = Extract<MigrateResult, { done: unknown }>;
type MarkResult = Extract<MigrateResult, { changes: unknown }>;

const GREEN = 32;
const RED = 31;
const YELLOW = 33;

/** Every file with its state, and what runs. */
export function printStatus(
  result: StatusResult,
  {
    files,
    history,
    coloured,
  }: { files: readonly Migration[]; history: readonly AppliedMigration[]; coloured: boolean },
): string {
  const { halfDone, running, pending, changed } = result;
  const table = newTable(['migration', 'state', 'applied at (UTC)'], coloured);
  for (const { number, up } of files) {
    const isHalfDone = halfDone?.number === number;
    const record = history.find((row) => row.number === number);
    const isChanged = changed.includes(up.file);
    const state = isHalfDone
      ? `half done: ${halfDone.direction}, ${halfDone.statementsDone} of ${halfDone.statements} statements`
      : record === undefined
        ? 'pending'
        : isChanged
          ? 'CHANGED after it was applied'
          : 'applied';
    const colour = isChanged ? RED : state === 'applied' ? GREEN : YELLOW;
    const appliedAt = record === undefined || isHalfDone ? '–' : describeInstant(record.applied_at.toISOString());
    table.push([nameOf(up.file), coloured ? paint(colour, state) : state, appliedAt]);
  }
  return [
    files.length === 0 ? 'There is no migration file.' : table.toString(),
    `Now at ${result.current}, ${describeCount(pending.length)} pending${halfDone === null ? '' : ', one half done'}.`,
    ...(running === null ? [] : [describeLongStep(running)]),
    ...(result.drift === null ? [] : [printDrift(result.drift)]),
  ].join('\n');
}

/** What was applied or reverted, and where the database is now. */
export function printRun(result: RunResult, coloured: boolean): string {
  const { done, current, pending, status, running } = result;
  const table = newTable(['migration', 'direction', 'statements', 'took'], coloured);
  for (const { number, name, direction, statements, durationMs } of done)
    table.push([label(number, name), direction, describeCount(statements), describeDuration(durationMs)]);
  return [
    done.length === 0 ? `Nothing to ${result.action === 'up' ? 'apply' : 'revert'}.` : table.toString(),
    `Now at ${current}, ${describeCount(pending.length)} pending.`,
    ...(status === 'done' ? [] : [running === null ? 'The next run goes on.' : describeLongStep(running)]),
  ].join('\n');
}

/** What baseline or repair has changed, or would. */
export function printMark({ changes, dryRun, current, pending }: MarkResult): string {
  const title = dryRun ? 'Would be changed:' : 'Changed:';
  return [
    ...(changes.length === 0 ? ['There is nothing to change.'] : [title, ...changes.map((change) => `  ${change}`)]),
    `Now at ${current}, ${describeCount(pending.length)} pending.`,
  ].join('\n');
}

function paint(colour: number, text: string): string {
  return `\u001b[${colour}m${text}\u001b[39m`;
}

function label(number: number, name: string): string {
  return `${String(number).padStart(4, '0')}_${name}`;
}

/** `0001_initial_schema` of its file. */
function nameOf(file: string): string {
  return (file.split('/').at(-1) ?? file).replace(/\.up\.sql$/, '');
}
