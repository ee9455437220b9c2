// The table at the end of a night, and what to do with what it left.
import Table from 'cli-table3';
import type { StepOutcome } from './run-steps.ts';

const WIDEST_FIGURES = 76;

/** The outcomes as a table of job, result, duration and figures; without colours when the output is no terminal. */
export function summaryTable(outcomes: readonly StepOutcome[], coloured: boolean): string {
  const table = new Table({
    head: ['job', 'result', 'seconds', 'figures'],
    colAligns: ['left', 'left', 'right', 'left'],
    colWidths: [null, null, null, WIDEST_FIGURES],
    wordWrap: true,
    style: { compact: true, ...(coloured ? { head: ['bold'], border: ['gray'] } : { head: [], border: [] }) },
  });
  for (const { title, outcome, durationMs, figures } of outcomes) {
    const seconds = outcome === 'not run' ? '' : (durationMs / 1000).toFixed(1);
    table.push([title, coloured ? paint(outcome) : outcome, seconds, figures]);
  }
  return table.toString();
}

function paint(outcome: StepOutcome['outcome']): string {
  const code = { ok: 32, failed: 31, 'not run': 33 }[outcome];
  return `\u001b[${code}m${outcome}\u001b[39m`;
}
