import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { HELP, parseArguments } from '../../../bench/parse-arguments.ts';
import { LocalRunError } from '../../../local/local-run-error.ts';

const root = join(import.meta.dirname, '../../..');

describe('parseArguments', () => {
  test('only the name of the benchmark: all cases, three rounds, 1 GiB, and a seed that can be given again', () => {
    const options = parseArguments(['backup']);

    expect(options).toMatchObject({
      rounds: 3,
      sizeMiB: 1_024,
      dataSets: ['wide', 'pair', 'pgbench'],
      sinks: ['discard', 'disk'],
      latenciesMs: [0, 100, 300],
      only: undefined,
      growthGiB: [],
      tls: true,
    });
    const { seed } = options === 'help' ? { seed: -1 } : options;
    expect(seed).toBeGreaterThanOrEqual(0);
    expect(parseArguments(['backup', '--seed', String(seed)])).toMatchObject({ seed });
  });

  test('lists: parted by commas, without doubles, cases by the beginning of their names', () => {
    const args = ['backup', '--data', 'pair', '--latency', '300,0,0', '--only', 'ours-zstd,psql', '--growth', '0.3,1'];

    expect(parseArguments(args)).toMatchObject({
      dataSets: ['pair'],
      latenciesMs: [0, 300],
      only: ['ours-zstd-w1', 'ours-zstd-w2', 'psql-copy'],
      growthGiB: [0.3, 1],
    });
  });

  test.each([
    ['no benchmark', [], 'it must be backup'],
    ['another benchmark', ['purge'], 'the benchmark is "purge"'],
    ['an unknown option', ['backup', '--fast'], "Unknown option '--fast'"],
    [
      'a number with a unit',
      ['backup', '--size', '1GB'],
      '--size is "1GB"; it must be a whole number from 1 to 100000',
    ],
    ['a blank number', ['backup', '--rounds', ''], '--rounds is ""; it must be a whole number from 0 to 50'],
    ['no rounds and no growth', ['backup', '--rounds', '0'], '--rounds is 0 without --growth'],
    ['an unknown data set', ['backup', '--data', 'wide,tall'], '--data has "tall"; allowed are wide, pair, pgbench'],
    ['an unknown case', ['backup', '--only', 'pg_dumb'], '--only has "pg_dumb"; allowed are ours-gzip-w1'],
    ['an empty case, which would choose all', ['backup', '--only', 'ours,'], '--only has ""'],
    ['a negative latency', ['backup', '--latency=-1'], '--latency has "-1"; each must be a number from 0 to 5000'],
    [
      'a server without zstd',
      ['backup', '--server', '15'],
      '--server is "15"; it must be a whole number from 16 to 18',
    ],
    ['a blank file', ['backup', '--json', ' '], '--json is blank; it must name a file'],
  ])('%s: one error that says what is allowed, and a hint', (_, args, problem) => {
    let error: unknown;
    try {
      parseArguments(args);
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toBeInstanceOf(LocalRunError);
    const message = String(error);
    expect(message).toContain(problem);
    expect(message).toContain('Nothing was started');
    expect(message.match(/Hint: /g)).toHaveLength(1);
  });

  test('--help: wins over everything else, and names every option', () => {
    expect(parseArguments(['--help'])).toBe('help');
    for (const option of [
      'rounds',
      'size',
      'data',
      'sink',
      'latency',
      'only',
      'growth',
      'server',
      'tls',
      'seed',
      'json',
    ])
      expect(HELP).toContain(`--${option} `);
  });
});

describe('npm run bench', () => {
  test('a wrong option: exit code 2, the error and its hint, and no stack', async () => {
    const run = promisify(execFile)(process.execPath, ['bench/run-bench.ts', 'backup', '--rounds', 'x'], { cwd: root });

    const failure: unknown = await run.catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 2, stdout: '' });
    const stderr = failure instanceof Error && 'stderr' in failure ? String(failure.stderr) : '';
    expect(stderr.trim().split('\n')).toHaveLength(2);
    expect(stderr).toContain('\nHint: ');
  });
});
