import { assert, boolean, integer, nat, pre, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  partBytesOf,
  planRanges,
  rangeBytes,
  refuseTooLargeTables,
  splitRange,
} from '../../../functions/backup/plan/plan-ranges.ts';

const MIB = 1_048_576;
const GIB = 1_024 * MIB;

function table(more: Partial<Parameters<typeof planRanges>[0]> = {}) {
  return { schema: 'app', name: 'orders', bytes: GIB, blocks: GIB / 8_192, isDivisible: true, ...more };
}

describe('planRanges', () => {
  test('covers all blocks without a gap, ends open, and never gives a part number twice, for any size', () => {
    assert(
      property(nat(2 ** 40), nat(2 ** 27), integer({ min: 1, max: 2 ** 36 }), (bytes, blocks, target) => {
        const ranges = planRanges(table({ bytes, blocks }), target);

        expect(ranges[0]?.blocks[0]).toBe(0);
        expect(ranges.at(-1)?.blocks[1]).toBeNull();
        let nextPart = 1;
        for (const [index, { blocks: range, firstPart, parts }] of ranges.entries()) {
          expect(firstPart).toBe(nextPart);
          nextPart += parts;
          const following = ranges[index + 1];
          if (following) {
            expect(range[1]).toBe(following.blocks[0]);
            expect(following.blocks[0]).toBeGreaterThan(range[0]);
          }
        }
        expect(nextPart - 1).toBeLessThanOrEqual(10_000);
      }),
      { numRuns: 200 },
    );
  });

  test('parts a table of 1 GiB by its bytes', () => {
    expect(planRanges(table(), 256 * MIB).map(({ blocks }) => blocks)).toEqual([
      [0, 32_768],
      [32_768, 65_536],
      [65_536, 98_304],
      [98_304, null],
    ]);
  });

  test('leaves a table whole that cannot be read by blocks, and one without rows', () => {
    const whole = [{ blocks: [0, null], firstPart: 1, parts: 10_000 }];

    expect(planRanges(table({ isDivisible: false }), MIB)).toMatchObject(whole);
    expect(planRanges(table({ bytes: 0, blocks: 0 }), MIB)).toMatchObject(whole);
  });

  test('never makes more ranges than a table has blocks: few rows with large TOAST values', () => {
    expect(planRanges(table({ bytes: 10 * GIB, blocks: 3 }), 64 * MIB)).toHaveLength(3);
  });
});

describe('splitRange', () => {
  test('gives two halves that cover the range and share its part numbers', () => {
    assert(
      property(
        nat(1_000_000),
        integer({ min: 1, max: 1_000_000 }),
        integer({ min: 2, max: 5_000 }),
        boolean(),
        (from, length, parts, isOpen) => {
          pre(length >= 2);
          const to = from + length;
          const halves = splitRange(
            { blocks: [from, isOpen ? null : to], firstPart: 7, parts, estimatedBytes: 10 },
            to,
          );

          const [first, second] = halves ?? [];
          expect(first?.blocks[0]).toBe(from);
          expect(first?.blocks[1]).toBe(second?.blocks[0]);
          expect(second?.blocks[1]).toBe(isOpen ? null : to);
          expect(first?.firstPart).toBe(7);
          expect(second?.firstPart).toBe(7 + (first?.parts ?? 0));
          expect((first?.parts ?? 0) + (second?.parts ?? 0)).toBe(parts);
        },
      ),
    );
  });

  test('gives nothing for a single block or a single part number', () => {
    expect(splitRange({ blocks: [5, 6], firstPart: 1, parts: 100, estimatedBytes: 1 }, 9)).toBeUndefined();
    expect(splitRange({ blocks: [5, null], firstPart: 1, parts: 100, estimatedBytes: 1 }, 6)).toBeUndefined();
    expect(splitRange({ blocks: [5, 9], firstPart: 1, parts: 1, estimatedBytes: 1 }, 9)).toBeUndefined();
  });
});

describe('rangeBytes', () => {
  test('is a quarter of the share of a worker, from 32 MiB to 4 minutes at 20 MB/s', () => {
    expect(rangeBytes(16 * GIB, 4)).toBe(GIB);
    expect(rangeBytes(0, 2)).toBe(32 * MIB);
    expect(rangeBytes(100 * 1_024 * GIB, 8)).toBe(4_800_000_000);
  });
});

describe('partBytesOf and refuseTooLargeTables', () => {
  test('parts are 5 MiB up to 21 GiB of table, and then grow so that twice its size fits into 9,000', () => {
    expect(partBytesOf({ bytes: 21 * GIB })).toBe(5 * MIB);
    expect(partBytesOf({ bytes: 1_024 * GIB })).toBe(Math.ceil((2 * 1_024 * GIB) / 9_000));
  });

  test('a table whose parts do not fit into memory is refused by name, with the memory that would do', () => {
    const tables = [table({ bytes: 5 * 1_024 * GIB })];

    expect(() => refuseTooLargeTables(tables, { memoryMiB: 2_048, workers: 2 })).toThrow(
      /table "app"."orders" of 5120 GiB needs parts of 1166 MiB, and with them 3656 MiB of memory, but the function has 2048 MiB.*Hint: set memoryMiB of backup to 3656/,
    );
    expect(() => refuseTooLargeTables(tables, { memoryMiB: 3_656, workers: 2 })).not.toThrow();
    expect(() => refuseTooLargeTables(tables, { memoryMiB: undefined, workers: 2 })).not.toThrow();
  });
});
