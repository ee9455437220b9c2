import { describe, expect, test } from 'vitest';
import { chooseLeftovers, type Incomplete } from '../../../functions/expire/choose-leftovers.ts';

const NOW = new Date('2026-11-22T06:00:00Z');
const hoursAgo = (hours: number) => new Date(NOW.getTime() - hours * 3_600_000);

/** Remains of an attempt that ended long ago, but for what the test changes. */
function incomplete(more: Partial<Incomplete> = {}): Incomplete {
  return { backupId: 'x', overSince: hoursAgo(100), lastWritten: hoursAgo(101), hiddenSince: undefined, ...more };
}

const isRemain = (one: Incomplete, newestCounted: Date | undefined = hoursAgo(4)) =>
  chooseLeftovers([one], newestCounted, 7, NOW).remains.length === 1;

describe('chooseLeftovers', () => {
  test.each([
    ['ended an hour ago: remains', { overSince: hoursAgo(1) }, true],
    ['ended a moment less than an hour ago: left alone', { overSince: new Date(hoursAgo(1).getTime() + 1) }, false],
    ['may be at work, however old: left alone', { overSince: undefined, lastWritten: hoursAgo(5_000) }, false],
    ['no claim, not written for 44 h: remains', { overSince: 'without a claim', lastWritten: hoursAgo(44) }, true],
    ['no claim, written 43 h ago: left alone', { overSince: 'without a claim', lastWritten: hoursAgo(43) }, false],
    ['hidden for 7 days: left alone', { hiddenSince: hoursAgo(7 * 24) }, false],
    ['hidden for longer: remains', { hiddenSince: hoursAgo(7 * 24 + 1) }, true],
  ] as const)('the attempt %s', (_, more, expected) => {
    expect(isRemain(incomplete(more))).toBe(expected);
  });

  test('no claim and no newer backup that counts: left alone, because nothing stands in for it', () => {
    const old = incomplete({ overSince: 'without a claim', lastWritten: hoursAgo(100) });

    expect(isRemain(old, hoursAgo(101))).toBe(false);
    expect(chooseLeftovers([old], undefined, 7, NOW)).toEqual({ remains: [], leftAlone: ['x'] });
  });
});
