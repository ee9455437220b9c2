// A vitest reporter that prints the matrix: a row for each pair of server and client, a column for each way to a backup.
// What could not be had or failed is named below the table with its reason. Used by `npm run test:matrix`.
import Table from 'cli-table3';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { cellOf } from '../matrix/cells.ts';

const REASON_LENGTH = 300;

export default class CellTableReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const cells = modules.map((module) => ({ name: nameOf(module), tests: [...module.children.allTests()] }));
    const ways = [...new Set(cells.flatMap(({ tests }) => tests.map(wayOf)))];
    const table = new Table({ head: ['server / client', ...ways], style: { head: [] } });
    const reasons: string[] = [];
    for (const { name, tests } of cells) {
      const results = ways.map((way) => {
        const test = tests.find((one) => wayOf(one) === way);
        if (test?.result().state === 'passed') return `${outcomeOf(test)} (${seconds(test)} s)`;
        reasons.push(`${name}, ${way}: ${reasonOf(test)}`);
        return 'FAILED';
      });
      table.push([name, ...results]);
    }
    process.stdout.write(`\n${table.toString()}\n${reasons.map((one) => `FAILED: ${one}\n`).join('')}`);
  }
}

/** With the versions that the programs told; without them what was asked for. */
function nameOf(module: TestModule): string {
  for (const test of module.children.allTests()) {
    const { versions } = test.meta();
    if (versions !== undefined) return versions;
  }
  const cell = cellOf(module.project.name);
  return cell ? `${cell.server} / ${cell.client}` : module.project.name;
}

function wayOf(test: TestCase): string {
  const driver = test.parent.type === 'suite' ? test.parent.name : '';
  return `${driver.replace('a backup made ', '')}, ${test.name.slice(0, test.name.indexOf(':'))}`;
}

/** A refusal that must be is as good as a backup, but it is none. */
function outcomeOf(test: TestCase): string {
  return test.meta().isRefused === true ? 'refused, as it must' : 'identical';
}

function seconds(test: TestCase): string {
  return ((test.diagnostic()?.duration ?? 0) / 1_000).toFixed(0);
}

function reasonOf(test: TestCase | undefined): string {
  const message = test?.result().errors?.[0]?.message ?? 'it was not run';
  return message.replaceAll(/\s+/g, ' ').slice(0, REASON_LENGTH);
}
