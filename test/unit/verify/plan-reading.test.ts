import { describe, expect, test } from 'vitest';
import type { ManifestTable } from '../../../functions/shared/backup-files.ts';
import { divideIntoGroups, type ReadItem, readItems } from '../../../functions/verify/plan-reading.ts';
import { makeArchive } from '../../support/stored-archive.ts';

const { manifest } = makeArchive({ database: 'orders', backupId: '20261122T020000Z', codec: 'gzip', seed: 1 });

const [aTable] = manifest.tables;
const [aRange] = aTable?.ranges ?? [];

/** Ranges of tables of one range each, with so many stored bytes. */
function itemsOf(lengths: readonly number[]): ReadItem[] {
  return lengths.map((length, tableIndex) => {
    if (!aTable || !aRange) throw new Error('the archive has no table');
    const table: ManifestTable = { ...aTable, ranges: [{ ...aRange, length }] };
    return { table, tableIndex, range: 0 };
  });
}

function bytesOf(groups: readonly [number, number][], lengths: readonly number[]): number[] {
  return groups.map(([from, to]) => lengths.slice(from, to).reduce((sum, length) => sum + length, 0));
}

function nameOf({ table, range, largeObject }: ReadItem & { range?: number }): string {
  return largeObject === undefined ? `${table?.dumpId}/${range}` : `blob ${largeObject.oid}`;
}

describe('readItems', () => {
  test('a whole backup: every range in the order of the manifest, then the large objects by OID', () => {
    expect(readItems(manifest, null).map(nameOf)).toEqual([
      '100/0',
      '100/1',
      '100/2',
      '100/3',
      '101/0',
      '102/0',
      '103/0',
      '104/0',
      '104/1',
      '104/2',
      '104/3',
      'blob 9',
      'blob 50001',
      'blob 50003',
      'blob 4000000000',
    ]);
  });

  test('the samples of a backup: every item is in exactly one of them', () => {
    const samples = Array.from({ length: 4 }, (_, index) => readItems(manifest, { number: index + 1, of: 4 }));

    expect(samples.map((items) => items.length)).toEqual([4, 4, 4, 3]);
    expect(samples.flat().map(nameOf).toSorted()).toEqual(readItems(manifest, null).map(nameOf).toSorted());
  });

  test('more samples than items: the last ones are empty', () => {
    expect(readItems(manifest, { number: 16, of: 20 })).toEqual([]);
  });
});

describe('divideIntoGroups', () => {
  const GB = 1_000_000_000;

  test('a table of 1 TB in ranges of 1 GB: groups of 4 minutes at 20 MB/s, all ranges in order, none twice', () => {
    const lengths = Array.from({ length: 1_000 }, () => GB);
    const groups = divideIntoGroups(itemsOf(lengths), 8);

    expect(groups[0]?.[0]).toBe(0);
    expect(groups.at(-1)?.[1]).toBe(1_000);
    expect(groups.slice(1).every(([from], index) => from === groups[index]?.[1])).toBe(true);
    expect(Math.max(...bytesOf(groups, lengths))).toBeLessThanOrEqual(5 * GB);
    expect(groups).toHaveLength(209);
  });

  test('20 TB: no more than 1,000 groups', () => {
    const groups = divideIntoGroups(itemsOf(Array.from({ length: 5_000 }, () => 4 * GB)), 8);

    expect(groups).toHaveLength(1_000);
  });

  test('ranges of very different sizes: none is lost, no group is empty, none has more than a share and one range', () => {
    const lengths = Array.from({ length: 500 }, (_, index) => ((index * 7919) % 97) ** 3 * 4_000);
    const groups = divideIntoGroups(itemsOf(lengths), 16);
    const share = lengths.reduce((sum, length) => sum + length, 0) / 16;

    expect(groups.flatMap(([from, to]) => Array.from({ length: to - from }, (_, index) => from + index))).toEqual(
      lengths.map((_, index) => index),
    );
    expect(groups.every(([from, to]) => to > from)).toBe(true);
    expect(Math.max(...bytesOf(groups, lengths))).toBeLessThan(share * 1.1 + Math.max(...lengths));
  });

  test('a million small large objects: the requests count, not only the bytes', () => {
    const groups = divideIntoGroups(itemsOf(Array.from({ length: 100_000 }, () => 100)), 1);

    expect(groups.length).toBeGreaterThan(20);
  });

  test('nothing to read: one group, which looks at the structure', () => {
    expect(divideIntoGroups([], 8)).toEqual([[0, 0]]);
  });

  test('fewer items than steps: a group for each', () => {
    expect(divideIntoGroups(itemsOf([10, 10, 10]), 8)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });
});
