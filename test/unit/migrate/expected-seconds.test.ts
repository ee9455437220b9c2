import { describe, expect, test } from 'vitest';
import { expectedSeconds, type LiveSize } from '../../../functions/migrate/rehearse/expected-seconds.ts';
import type { Observed, RelationFact } from '../../../functions/migrate/rehearse/statement-facts.ts';

const relation = (name: string): RelationFact => ({
  name,
  kind: 'r',
  file: 1,
  indexed: null,
  read: 0,
  inserted: 0,
  changed: 0,
});
const before = new Map([
  [1, relation('t')],
  [2, relation('u')],
]);
const rates = {
  scanBytesPerSecond: 100,
  rewriteBytesPerSecond: 10,
  indexRowsPerSecond: 50,
  changeRowsPerSecond: 20,
};
const NOTHING: Observed = { locks: [], rewritten: [], indexesBuilt: [], scanned: [], changed: [] };

function seconds(
  observed: Partial<Observed>,
  live: Record<number, LiveSize> = { 1: { rows: 1_000, bytes: 5_000 } },
  rowsInCopy = 20,
) {
  const sizes = new Map(Object.entries(live).map(([oid, size]) => [Number(oid), size]));
  return expectedSeconds({ ...NOTHING, ...observed }, before, { rates, live: sizes, rowsInCopy: () => rowsInCopy });
}

describe('expectedSeconds', () => {
  test('nothing is scanned, written or built: 0', () => {
    expect(seconds({ locks: [{ mode: 'AccessExclusiveLock', table: 't' }] })).toBe(0);
  });

  test('two passes over a table: twice its bytes at the rate of a scan', () => {
    expect(seconds({ scanned: [{ table: 't', tuples: 40, passes: 2 }] })).toBe(100);
  });

  test('a rewrite with one pass and one index: its bytes and its rows, and the passes are in them', () => {
    const observed = {
      rewritten: ['t'],
      indexesBuilt: [{ index: 't_pkey', table: 't' }],
      scanned: [{ table: 't', tuples: 40, passes: 2 }],
    };

    expect(seconds(observed)).toBe(500 + 20);
  });

  test('changed rows: as many as live where all were scanned, else as they are', () => {
    const changed = [{ table: 't', rows: 20 }];

    expect(seconds({ changed, scanned: [{ table: 't', tuples: 20, passes: 1 }] })).toBe(50 + 50);
    expect(seconds({ changed })).toBe(1);
  });

  test.each<[string, Partial<Observed>, Record<number, LiveSize>, number]>([
    ['a table that a pending file makes', { scanned: [{ table: 'u', tuples: 20, passes: 1 }] }, {}, 20],
    ['no estimate of its rows', { indexesBuilt: [{ index: 'i', table: 't' }] }, { 1: { rows: null, bytes: 9 } }, 20],
    [
      'rows that the copy did not have',
      { scanned: [{ table: 't', tuples: 3, passes: null }] },
      { 1: { rows: 5, bytes: 9 } },
      0,
    ],
    [
      'a strong lock on a table that is empty in the copy only',
      { locks: [{ mode: 'AccessExclusiveLock', table: 't' }] },
      { 1: { rows: 5, bytes: 9 } },
      0,
    ],
  ])('%s: null, not 0', (_name, observed, live, rowsInCopy) => {
    expect(seconds(observed, live, rowsInCopy)).toBeNull();
  });

  test('a strong lock on a table that is empty here and live: 0', () => {
    expect(seconds({ locks: [{ mode: 'AccessExclusiveLock', table: 't' }] }, { 1: { rows: 0, bytes: 0 } }, 0)).toBe(0);
  });
});
