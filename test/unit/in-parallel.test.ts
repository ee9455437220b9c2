import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { inParallel } from '../../functions/shared/in-parallel.ts';

describe('inParallel', () => {
  test('gives the results in the order of the list and never runs more than allowed', async () => {
    let running = 0;
    let most = 0;

    const results = await inParallel(3, [5, 1, 4, 2, 3], async (value) => {
      running += 1;
      most = Math.max(most, running);
      await sleep(value);
      running -= 1;
      return value * 10;
    });

    expect(results).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(3);
  });

  test('throws the first failure after the running ones have ended, and begins nothing more', async () => {
    const ended: number[] = [];
    const begun: number[] = [];

    const running = inParallel(2, [1, 2, 3, 4], async (value) => {
      begun.push(value);
      if (value === 1) throw new Error('the first one');
      await sleep(20);
      ended.push(value);
    });

    await expect(running).rejects.toThrow('the first one');
    expect(ended).toEqual([2]);
    expect(begun).toEqual([1, 2]);
  });
});
