import { describe, expect, test } from 'vitest';
import { interleave, median, quantile, ratioOf, seededRandom, spreadOf } from '../../../bench/statistics.ts';

describe('median', () => {
  test('an odd number of values: the middle one, whatever their order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([7])).toBe(7);
  });

  test('an even number of values: the mean of the two middle ones', () => {
    expect(median([10, 1, 2, 3])).toBe(2.5);
  });

  test('numbers of different length: they are ordered as numbers, and the list of the caller stays as it was', () => {
    const values = [10, 9, 100];

    expect(median(values)).toBe(10);
    expect(values).toEqual([10, 9, 100]);
  });

  test('no values: refused, because 0 would look like a good result', () => {
    expect(() => median([])).toThrow('no values');
  });
});

describe('spreadOf', () => {
  test('several values: median, range and count', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, count: 3 });
  });

  test('no values: there is no spread', () => {
    expect(spreadOf([])).toBeUndefined();
  });
});

describe('quantile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  test('the value that this share does not exceed, whatever the order', () => {
    expect([0, 0.5, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([1, 50, 99, 100]);
  });

  test('few values: the highest one, not one between', () => {
    expect(quantile([3, 1, 2], 0.99)).toBe(3);
  });

  test('no values: there is none', () => {
    expect(quantile([], 0.5)).toBeUndefined();
  });
});

describe('ratioOf', () => {
  test('both were measured: value by base', () => {
    expect(ratioOf(3, 2)).toBe(1.5);
  });

  test('one was not measured, or the base is 0: no ratio, neither 0 nor infinity', () => {
    expect(ratioOf(undefined, 2)).toBeUndefined();
    expect(ratioOf(3, undefined)).toBeUndefined();
    expect(ratioOf(3, 0)).toBeUndefined();
  });
});

describe('seededRandom', () => {
  test('the same seed: the same numbers, all from 0 to below 1', () => {
    const numbers = (seed: number) => Array.from({ length: 200 }, seededRandom(seed));

    expect(numbers(7)).toEqual(numbers(7));
    expect(numbers(7)).not.toEqual(numbers(8));
    expect(numbers(7).every((number) => number >= 0 && number < 1)).toBe(true);
  });
});

describe('interleave', () => {
  const items = ['a', 'b', 'c', 'd', 'e'];

  test('every round: each item once, and no round begins before the one before has ended', () => {
    const order = interleave(items, 3, seededRandom(1));

    expect(order.map(({ round }) => round)).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
    for (const round of [1, 2, 3]) {
      const ofRound = order.filter((one) => one.round === round).map(({ item }) => item);
      expect(ofRound.toSorted()).toEqual(items);
    }
  });

  test('the same seed: the same order; rounds differ from each other', () => {
    const order = (seed: number) => interleave(items, 4, seededRandom(seed)).map(({ item }) => item);
    const rounds = [0, 5, 10, 15].map((from) =>
      order(3)
        .slice(from, from + 5)
        .join(''),
    );

    expect(order(3)).toEqual(order(3));
    expect(new Set(rounds).size).toBeGreaterThan(1);
  });

  test('many rounds: each item comes first about as often as any other', () => {
    const firsts = interleave(items, 1_000, seededRandom(5)).filter((_, index) => index % items.length === 0);
    const counts = items.map((name) => firsts.filter(({ item }) => item === name).length);

    expect(Math.min(...counts)).toBeGreaterThan(150);
    expect(Math.max(...counts)).toBeLessThan(250);
  });

  test('no rounds: nothing', () => {
    expect(interleave(items, 0, seededRandom(1))).toEqual([]);
  });
});
