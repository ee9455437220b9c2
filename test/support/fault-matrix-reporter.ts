// A vitest reporter that prints the fault matrix: one line for each fault, with how often it was injected and how often
// the promise held. Used by `npm run test:faults`.
import Table from 'cli-table3';
import type { Reporter, TestModule } from 'vitest/node';

export default class FaultMatrixReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = new Map<string, { held: number; injected: number }>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const name = faultOf(test.fullName);
        const line = lines.get(name) ?? { held: 0, injected: 0 };
        line.injected += 1;
        if (test.result().state === 'passed') line.held += 1;
        lines.set(name, line);
      }
    }
    const table = new Table({
      head: ['fault: what is promised', 'injected', 'held'],
      colAligns: ['left', 'right', 'right'],
      style: { head: [] },
      colWidths: [110, 10, 8],
      wordWrap: true,
    });
    for (const [name, { injected, held }] of lines) table.push([name, injected, held]);
    process.stdout.write(`\n${table.toString()}\n`);
  }
}

/** The name of a test without its round, so that all rounds of a fault make one line. */
function faultOf(fullName: string): string {
  return fullName.replace(/ \((?:round|moment|place) \d+\)/, '');
}
