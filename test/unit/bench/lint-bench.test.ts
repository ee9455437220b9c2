import { describe, expect, test } from 'vitest';
import { type LintRun, lintCases, parseLintArguments, summarizeLint } from '../../../bench/lint/bench-lint.ts';
import { largeCatalog, lintFiles } from '../../../bench/lint/lint-files.ts';

describe('parseLintArguments', () => {
  test('nothing is given: five rounds of at least 4200 statements, 2000 tables', () => {
    expect(parseLintArguments([])).toEqual({ rounds: 5, statements: 4_200, tables: 2_000, jsonFile: undefined });
  });

  test.each([
    [['--rounds', '0'], /--rounds is "0"; it must be a whole number from 1 to 50\. Nothing was started/],
    [['--statements', '10'], /--statements is "10"/],
    [['--json', ' '], /--json is blank/],
    [['--no-such'], /Unknown option '--no-such'/],
    [['more'], /"more" is no option/],
  ])('wrong options %j: one clear error with a hint', (args, message) => {
    expect(() => parseLintArguments(args)).toThrow(message);
    expect(() => parseLintArguments(args)).toThrow(/Hint: npm run bench -- lint --help/);
  });
});

describe('lintFiles', () => {
  test('the files: pairs in order of number, with as many statements as were asked for', async () => {
    const { files, statements } = await lintFiles(1_000);

    expect(statements).toBeGreaterThanOrEqual(1_000);
    expect(files.map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1))[0]).toBe('0001_example.down.sql');
    expect(files.filter(({ name }) => name.endsWith('.up.sql')).length).toBe(files.length / 2);
    expect(largeCatalog(3).tables.map(({ name }) => name)).toEqual(['table_0', 'table_1', 'table_2']);
  });
});

describe('summarizeLint', () => {
  const wallMs = {
    parse: 400,
    lint: 50,
    'lint with catalog': 100,
    'lint in a process': 900,
    'squawk in a process': 200,
  };
  const runs = [1, 2, 3].flatMap((round) =>
    lintCases.map((name): LintRun => ({ round, case: name, wallMs: wallMs[name] * round, findings: 7 })),
  );

  test('the figure of the target: medians of parse and of lint with a catalog, per statement', () => {
    const { perStatementMs, ratio, table } = summarizeLint(runs, 4_000);

    expect(perStatementMs).toBe((800 + 200) / 4_000);
    expect(ratio).toBe(2.5);
    expect(table).toContain('squawk in a process');
  });

  test('a case was never measured: it throws instead of printing a 0', () => {
    expect(() =>
      summarizeLint(
        runs.filter((run) => run.case !== 'parse'),
        4_000,
      ),
    ).toThrow('median of no values');
  });
});
