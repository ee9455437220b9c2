// The table at the end of a night, and what to do with what it left.

import { newTable } from '../result-table.ts';
import type { StepOutcome } from './run-steps.ts';

const WIDEST_FIGURES = 76;

/** The outcomes as a table of job, result, duration and figures; without colours when the output is no terminal. */
export function summaryTable(outcomes: readonly StepOutcome[], coloured: boolean): string {
  const table = newTable(['job', 'result', 'seconds', 'figures'], coloured, {
    colAligns: ['left', 'left', 'right', 'left'],
    colWidths: [null, null, null, WIDEST_FIGURES],
    wordWrap: true,
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
