import { describe, expect, test } from 'vitest';
import { targetTable } from '../../../bench/backup/tables.ts';
import type { Latency } from '../../../bench/purge/pgbench-log.ts';
import { provePurge } from '../../../bench/purge/prove-purge.ts';
import { purgeTable } from '../../../bench/purge/purge-table.ts';
import type { PurgeFigures, PurgeRecord } from '../../../bench/purge/run-record.ts';
import { judgePurges, summarizePurges } from '../../../bench/purge/summarize-purges.ts';

const latency = (p50Ms: number, p99Ms: number): Latency => ({ count: 100, p50Ms, p99Ms, maxMs: p99Ms });

const usual: PurgeFigures = {
  fromMs: 0,
  toMs: 4_000,
  runs: 1,
  batches: 40,
  slowestBatchMs: 90,
  seconds: 4,
  rowsPerSecond: 50_000,
  walBytes: 40e6,
  loadWalBytesPerSecond: 1e6,
  live: { idle: latency(1, 4), during: latency(1, 6) },
  expired: { idle: latency(1, 4), during: latency(2, 20) },
  longestLockWaitMs: 15,
};

/** A run with these figures; null is one that failed. */
function run(ofCase: string, more: Partial<PurgeFigures> | null = {}): PurgeRecord {
  const about = { position: 1, round: 1, ofCase, startedAt: '2026-01-01T00:00:00.000Z' };
  return more === null
    ? { ...about, figures: null, failure: 'it failed' }
    : { ...about, figures: { ...usual, ...more }, failure: null };
}

/** Latencies of the live transactions, p50 and p99 before and during. */
const liveOf = (idle: [number, number], during: [number, number]) => ({
  live: { idle: latency(...idle), during: latency(...during) },
});
const verdictOf = (records: PurgeRecord[], name: RegExp, dataSet: string) => {
  const found = judgePurges(summarizePurges(records)).filter((one) => name.test(one.name) && one.dataSet === dataSet);
  expect(found).toHaveLength(1);
  return found.map(({ measured, unit, verdict }) => [measured, unit, verdict])[0];
};

describe('summarizePurges', () => {
  test('several runs: medians, but the longest wait and the slowest batch of all', () => {
    const runs = [
      run('fk-ours', { seconds: 8, longestLockWaitMs: 1, slowestBatchMs: 70 }),
      run('fk-ours', { seconds: 2, longestLockWaitMs: 120, slowestBatchMs: 300 }),
      run('fk-ours', { seconds: 4, longestLockWaitMs: 3, slowestBatchMs: 80 }),
    ];

    expect(summarizePurges(runs)).toMatchObject([
      {
        name: 'fk-ours',
        failures: 0,
        seconds: { median: 4, min: 2, max: 8 },
        longestLockWaitMs: 120,
        slowestBatchMs: 300,
      },
    ]);
  });

  test('each run is compared with its own idle time, whatever the machine did in another', () => {
    const runs = [run('plain-ours', liveOf([1, 10], [1, 11])), run('plain-ours', liveOf([1, 100], [1, 110]))];

    expect(summarizePurges(runs)[0]?.duringToIdle.p99).toBeCloseTo(1.1);
  });

  test('a failed run: is counted and shown, and has no part in the medians', () => {
    const summaries = summarizePurges([run('plain-ours', { seconds: 4 }), run('plain-ours', null)]);

    expect(summaries).toMatchObject([{ failures: 1, seconds: { median: 4, count: 1 } }]);
    expect(purgeTable(summaries)).toContain('1 FAILED 4.00 (4.00-4.00)');
  });

  test('to naive: that of the same group, not of another', () => {
    const summaries = summarizePurges([
      run('plain-naive', { seconds: 1 }),
      run('fk-naive', { seconds: 10 }),
      run('fk-ours', { seconds: 20 }),
      run('snapshot-ours'),
    ]);

    expect(Object.fromEntries(summaries.map(({ name, toNaive }) => [name, toNaive]))).toEqual({
      'plain-naive': 1,
      'fk-naive': 1,
      'fk-ours': 2,
      'snapshot-ours': undefined,
    });
  });
});

describe('judgePurges', () => {
  test('speed: a fifth of the rows per second is enough, less is not', () => {
    const judged = (seconds: number) =>
      verdictOf([run('plain-naive', { seconds: 1 }), run('plain-ours', { seconds })], /one DELETE/, 'plain');

    expect(judged(5)).toEqual([5, 'x', 'met']);
    expect(judged(5.1)).toEqual([5.1, 'x', 'NOT met']);
  });

  test.each([
    ['above twice, but at most 10 ms', liveOf([1, 2], [1, 10]), [10, 'ms', 'met']],
    ['above 10 ms, but at most twice', liveOf([1, 20], [1, 40]), [2, 'x', 'met']],
    ['above both', liveOf([1, 20], [1, 50]), [2.5, 'x', 'NOT met']],
  ])('live p99, %s', (_, figures, expected) => {
    expect(verdictOf([run('fk-ours', figures)], /live p99/, 'fk')).toEqual(expected);
  });

  test('rows past retention: p99 of their updates at most 150 ms', () => {
    const judged = (p99: number) =>
      verdictOf([run('fk-ours', { expired: { idle: null, during: latency(1, p99) } })], /past retention/, 'fk');

    expect(judged(150)).toEqual([150, 'ms', 'met']);
    expect(judged(151)).toEqual([151, 'ms', 'NOT met']);
  });

  test('an idle snapshot: to ours without it, not to the DELETE', () => {
    const judged = (seconds: number) =>
      verdictOf(
        [run('plain-naive', { seconds: 1 }), run('plain-ours', { seconds: 10 }), run('snapshot-ours', { seconds })],
        /idle snapshot/,
        'snapshot',
      );

    expect(judged(13)).toEqual([1.3, 'x', 'met']);
    expect(judged(14)).toEqual([1.4, 'x', 'NOT met']);
  });

  test('shared pool: p50 during to p50 idle', () => {
    const judged = (during: number) =>
      verdictOf([run('shared-ours', liveOf([1, 5], [during, 5]))], /live p50/, 'shared');

    expect(judged(1.5)).toEqual([1.5, 'x', 'met']);
    expect(judged(1.6)).toEqual([1.6, 'x', 'NOT met']);
  });

  test('nothing of a case was measured: not measured, never met', () => {
    const targets = judgePurges(
      summarizePurges([
        run('plain-naive'),
        ...['plain', 'fk', 'shared', 'snapshot'].map((one) => run(`${one}-ours`, null)),
      ]),
    );

    expect(targets).toHaveLength(13);
    expect(new Set(targets.map(({ verdict }) => verdict))).toEqual(new Set(['not measured']));
    expect(targetTable(targets, 'case')).toContain('not measured');
  });

  test('no update fell into a short purge: not measured', () => {
    const judged = verdictOf([run('plain-ours', { expired: { idle: null, during: null } })], /past retention/, 'plain');

    expect(judged).toEqual([undefined, 'ms', 'not measured']);
  });
});

describe('provePurge', () => {
  const world = { rows: 100, expired: 20 };
  /** A server that has these. */
  const server = (left: number, live: number, children: number) => {
    const query = async (sql: string) =>
      sql.includes('app.item')
        ? { rows: [{ left: String(children) }] }
        : { rows: [{ left: String(left), live: String(live) }] };
    return { query } as unknown as Parameters<typeof provePurge>[0];
  };

  test('only what is past retention is gone, with its children: proven', async () => {
    await expect(provePurge(server(0, 80, 0), world, 'fk')).resolves.toBeUndefined();
    // The tables of this kind have no children to ask for.
    await expect(provePurge(server(0, 80, 7), world, 'plain')).resolves.toBeUndefined();
  });

  test.each([
    ['a row past retention is left', server(1, 80, 0), '1 rows past retention and 0 that lead to them are left'],
    ['a live row is gone', server(0, 79, 0), 'and 79 of the 80 others'],
    ['a child is left', server(0, 80, 1), '0 rows past retention and 1 that lead to them are left'],
  ])('%s: refused with both figures', async (_, found, message) => {
    await expect(provePurge(found, world, 'fk')).rejects.toThrow(message);
  });
});
