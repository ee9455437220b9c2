import { array, assert, integer, nat, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchLargeObjects, planGroups } from '../../../functions/backup/plan/plan-groups.ts';

const item = (largeObjects: number) => ({ largeObjects });

describe('planGroups', () => {
  test('every item is in exactly one group, there are at most 1,000 groups and none is empty', () => {
    assert(
      property(array(nat(10_000_000), { maxLength: 3_000 }), integer({ min: 1, max: 10_000_000 }), (sizes, target) => {
        const work = sizes.map((bytes, index) => ({ item: item(index), bytes }));

        const groups = planGroups(work, target);

        expect(groups.length).toBeLessThanOrEqual(1_000);
        expect(groups.every((group) => group.length > 0)).toBe(true);
        expect(groups.flat()).toEqual(work.map((one) => one.item));
      }),
      { numRuns: 50 },
    );
  });

  test('large items stay alone and small ones are packed', () => {
    const work = [100, 90, 30, 30, 30, 10].map((bytes, index) => ({ item: item(index), bytes }));

    expect(planGroups(work, 100).map((group) => group.length)).toEqual([1, 1, 4]);
  });
});

describe('batchLargeObjects', () => {
  test('batches are in order of OID and of at most 256 MiB, but for a larger object, which is alone', () => {
    const MIB = 1_048_576;
    const sizes = [
      { oid: 9, bytes: 10 },
      { oid: 3, bytes: 300 * MIB },
      { oid: 5, bytes: 200 * MIB },
      { oid: 4, bytes: 100 * MIB },
    ];

    expect(batchLargeObjects(sizes).map(({ oids }) => oids)).toEqual([[3], [4], [5, 9]]);
    expect(batchLargeObjects([])).toEqual([]);
  });
});
