import { describe, expect, test } from 'vitest';
import { parseScalingArguments, summarizeScaling } from '../../../bench/scaling/bench-scaling.ts';
import type { ScalingRun } from '../../../bench/scaling/run-scaling.ts';

describe('parseScalingArguments', () => {
  test('nothing is given: three rounds of 1, 2, 4 and 8 workers', () => {
    expect(parseScalingArguments([])).toMatchObject({ rounds: 3, workers: [1, 2, 4, 8], sizeMiB: 2_048 });
  });

  test.each([
    [['--rounds', '0'], /--rounds has "0"; it must be a whole number from 1 to 50\. Nothing was started/],
    [['--workers', '1,x'], /--workers has "x"; it must be a whole number from 1 to 64/],
    [['--rate', '0'], /--rate has "0"/],
    [['--json', ' '], /--json is blank/],
    [['--no-such'], /Unknown option '--no-such'/],
  ])('wrong options %j: one clear error with a hint', (args, message) => {
    expect(() => parseScalingArguments(args)).toThrow(message);
    expect(() => parseScalingArguments(args)).toThrow(/Hint: npm run bench -- scaling --help/);
  });
});

describe('summarizeScaling', () => {
  const run = (workers: number, round: number, wallSeconds: number): ScalingRun => ({
    workers,
    round,
    groups: 32,
    wallSeconds,
    planSeconds: 1,
    copySeconds: wallSeconds - 2,
    finishSeconds: 1,
    cpuSeconds: { functions: 4, server: 3, store: 2, proxy: 1 },
    archiveBytes: 1_000_000,
  });

  test('the speed-up is that of the medians of the whole runs, not of the best ones', () => {
    const runs = [run(1, 1, 100), run(1, 2, 80), run(1, 3, 90), run(8, 1, 15), run(8, 2, 10), run(8, 3, 30)];
    const { speedup, table, groups } = summarizeScaling(runs);

    expect(speedup).toBe(6);
    expect(groups).toBe(32);
    expect(table).toContain('15.0 (10.0-30.0)');
  });

  test('no run with 8 workers: there is no speed-up to tell', () => {
    expect(summarizeScaling([run(1, 1, 100)]).speedup).toBeUndefined();
  });
});
