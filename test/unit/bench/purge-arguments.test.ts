import { describe, expect, test } from 'vitest';
import { neededMiB } from '../../../bench/purge/bench-purge.ts';
import { purgeCaseNames, purgeCases } from '../../../bench/purge/cases.ts';
import { HELP_PURGE, parsePurgeArguments } from '../../../bench/purge/parse-purge-arguments.ts';
import { LocalRunError } from '../../../local/local-run-error.ts';

const caseNames = (args: readonly string[]) => {
  const options = parsePurgeArguments(args);
  return options === 'help' ? [] : options.cases.map(({ name }) => name);
};

describe('parsePurgeArguments', () => {
  test('nothing is given: 10 million rows, a fifth past retention, three rounds of all cases, and a seed to give again', () => {
    const options = parsePurgeArguments([]);

    expect(options).toMatchObject({ rounds: 3, rows: 10_000_000, expired: 2_000_000, idleSeconds: 15 });
    expect(caseNames([])).toEqual(purgeCaseNames);
    const { seed } = options === 'help' ? { seed: -1 } : options;
    expect(seed).toBeGreaterThanOrEqual(0);
    expect(parsePurgeArguments(['--seed', String(seed)])).toMatchObject({ seed });
  });

  test('everything is given: read as it is', () => {
    const args = ['--rounds', '1', '--rows', '200000', '--expired', '50000', '--idle', '2.5', '--server', '17'];

    expect(parsePurgeArguments([...args, '--json', 'out.json'])).toMatchObject({
      rounds: 1,
      rows: 200_000,
      expired: 50_000,
      idleSeconds: 2.5,
      serverMajor: 17,
      jsonFile: 'out.json',
    });
  });

  test('other rows without how many are past retention: a fifth of them', () => {
    expect(parsePurgeArguments(['--rows', '200004'])).toMatchObject({ rows: 200_004, expired: 40_000 });
  });

  test('cases by the beginning of their names: all that begin so, in their own order', () => {
    expect(caseNames(['--only', 'snapshot,plain'])).toEqual(['plain-naive', 'plain-ours', 'snapshot-ours']);
  });

  test.each([
    [['--rounds', '0'], '--rounds is "0"; it must be a whole number from 1 to 50'],
    [['--rows', '999'], '--rows is "999"; it must be a whole number from 1000 to 100000000'],
    [['--rows', '1e6'], '--rows is "1e6"'],
    [['--rows', '2000', '--expired', '1001'], '--expired is "1001"; it must be a whole number from 1 to 1000'],
    [['--idle', '0'], '--idle has "0"; each must be a number from 0.3 to 600'],
    [['--idle', '1,2'], '--idle is "1,2"; it must be one number from 0.3 to 600'],
    [['--only', 'fk,'], '--only has ""; allowed are plain-naive,'],
    [['--only', 'naive'], '--only has "naive"'],
    [['--server', '15'], '--server is "15"; it must be a whole number from 16 to 18'],
    [['--json', ' '], '--json is blank; it must name a file'],
    [['--sink', 'disk'], "Unknown option '--sink'"],
    [['again'], '"again" is no option'],
  ])('wrong options %j: one error that says what is allowed, and a hint', (args, problem) => {
    expect(() => parsePurgeArguments(args)).toThrow(LocalRunError);
    expect(() => parsePurgeArguments(args)).toThrow(problem);
    expect(() => parsePurgeArguments(args)).toThrow('Nothing was started');
    expect(() => parsePurgeArguments(args)).toThrow('Hint: npm run bench -- purge --help');
  });

  test('--help: wins over everything else, and names every option', () => {
    expect(parsePurgeArguments(['--help', 'again'])).toBe('help');
    for (const option of ['rounds', 'rows', 'expired', 'idle', 'only', 'server', 'seed', 'json'])
      expect(HELP_PURGE).toContain(`--${option} `);
  });
});

describe('purgeCases', () => {
  test('what is compared differs in how it deletes alone: same tables and load in each group', () => {
    for (const group of ['plain', 'fk', 'shared']) {
      const [first, second, ...more] = purgeCases.filter((one) => one.group === group);
      expect(more).toEqual([]);
      expect({ ...first, name: '', deletes: '' }).toEqual({ ...second, name: '', deletes: '' });
      expect([first?.deletes, second?.deletes]).toEqual(['naive', 'ours']);
    }
  });
});

describe('neededMiB', () => {
  test('more rows: more room, for four copies of each and no more WAL than the server keeps', () => {
    const large = neededMiB({ rows: 100_000_000 });

    expect(neededMiB({ rows: 10_000_000 })).toBeGreaterThan(4 * 1_900);
    expect(large).toBeLessThan(100 + 4 * 19_074 + 8_192 + 1);
  });
});
