import { describe, expect, test } from 'vitest';
import { latenciesOf, parsePgbenchLog } from '../../../bench/purge/pgbench-log.ts';
import { walOfDeletion } from '../../../bench/purge/watch-server.ts';

describe('parsePgbenchLog', () => {
  test('lines as pgbench -R writes them: script, when it was due and when it ended', () => {
    // client, transaction, µs from due to end, script, s, µs, µs of lag
    const text = '0 1 2500 3 1795675200 4000 180\n5 12 1000000 0 1795675201 500000 3\n';

    expect(parsePgbenchLog(text)).toEqual([
      { script: 3, dueMs: 1_795_675_200_001.5, endMs: 1_795_675_200_004 },
      { script: 0, dueMs: 1_795_675_200_500, endMs: 1_795_675_201_500 },
    ]);
  });

  test('pgbench is still writing: a line without its end is left out, even when it looks like one', () => {
    expect(parsePgbenchLog('0 1 2500 3 1795675200 4000 180\n0 2 2500 3 17956752')).toHaveLength(1);
    expect(parsePgbenchLog('')).toEqual([]);
    expect(parsePgbenchLog('0 1 2500')).toEqual([]);
  });

  test.each(['0 1 failed 3 1795675200 4000 180', '0 1 skipped 3 1795675200 4000 180', 'pgbench: error'])(
    'a transaction that did not end well, "%s": refused, for it has no latency',
    (line) => {
      expect(() => parsePgbenchLog(`${line}\n`)).toThrow(`pgbench logged no transaction that ended well: "${line}"`);
    },
  );
});

describe('latenciesOf', () => {
  const phases = { idleFromMs: 100, idleToMs: 200, purgeFromMs: 300, purgeToMs: 400 };
  const tx = (dueMs: number, endMs: number) => ({ script: 0, dueMs, endMs });

  test('before: those that were due and over within it, none of the warm-up', () => {
    const { idle } = latenciesOf([tx(99, 105), tx(100, 102), tx(190, 200), tx(199, 201)], phases);

    expect(idle).toEqual({ count: 2, p50Ms: 2, p99Ms: 10, maxMs: 10 });
  });

  test('during: also those that began before it, and those that it has kept from beginning until after it', () => {
    const { during } = latenciesOf([tx(290, 300), tx(299, 301), tx(350, 351), tx(399, 900), tx(400, 402)], phases);

    expect(during).toEqual({ count: 3, p50Ms: 2, p99Ms: 501, maxMs: 501 });
  });

  test('none fell into it: not measured, no 0', () => {
    expect(latenciesOf([tx(10, 20)], phases)).toEqual({ idle: null, during: null });
  });
});

describe('walOfDeletion', () => {
  const at = (atMs: number, bytes: number) => ({ atMs, bytes });

  test('the load goes on as before: its share by its own speed is taken off', () => {
    expect(walOfDeletion(at(0, 500), at(2_000, 4_500), at(5_000, 20_500))).toEqual({
      walBytes: 10_000,
      loadWalBytesPerSecond: 2_000,
    });
  });

  test('the load wrote less than before: nothing below 0', () => {
    expect(walOfDeletion(at(0, 0), at(1_000, 1_000), at(2_000, 1_500)).walBytes).toBe(0);
  });
});
