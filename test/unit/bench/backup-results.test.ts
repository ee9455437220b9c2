import { describe, expect, test } from 'vitest';
import { createRowCounter, proveManifest } from '../../../bench/backup/prove-rows.ts';
import type { RunRecord } from '../../../bench/backup/run-record.ts';
import { summarize } from '../../../bench/backup/summarize.ts';
import { summaryTable, targetTable } from '../../../bench/backup/tables.ts';
import { judgeTargets } from '../../../bench/backup/targets.ts';

type About = Partial<Pick<RunRecord, 'dataSet' | 'sink' | 'latencyMs'>> & { peakMiB?: number };

/** A run that took so long; null is one that failed. */
function run(variant: string, wallSeconds: number | null, about: About = {}): RunRecord {
  const { peakMiB = 100, ...place } = about;
  const usage = {
    client: { cpuSeconds: 1, peakMiB, firstProcessPeakMiB: peakMiB },
    server: { cpuSeconds: 2, peakMiB: 50 },
    sink: null,
  };
  return {
    position: 1,
    round: 1,
    dataSet: 'wide',
    variant,
    sink: 'discard',
    latencyMs: 0,
    ...place,
    startedAt: '2026-01-01T00:00:00.000Z',
    copyMegabytesPerSecond: wallSeconds === null ? null : 100 / wallSeconds,
    failure: wallSeconds === null ? 'it failed' : null,
    outcome:
      wallSeconds === null
        ? null
        : {
            wallSeconds,
            functionSeconds: null,
            usage,
            archiveBytes: null,
            rows: null,
            proof: 'exit code',
            requests: null,
          },
  };
}

describe('summarize', () => {
  test('runs of a case: median and range of the time, the highest memory of all', () => {
    const [summary] = summarize([run('psql-copy', 3), run('psql-copy', 1, { peakMiB: 170 }), run('psql-copy', 2)]);

    expect(summary).toMatchObject({ wallSeconds: { median: 2, min: 1, max: 3 }, clientPeakMiB: 170, failures: 0 });
  });

  test('a failed run: is counted and has no part in the median; a case that only failed has none', () => {
    const summaries = summarize([run('pg_dump-fc', 4), run('pg_dump-fc', null), run('ours-gzip-w2', null)]);

    expect(summaries.map(({ variant, failures, wallSeconds }) => [variant, failures, wallSeconds?.median])).toEqual([
      ['ours-gzip-w2', 1, undefined],
      ['pg_dump-fc', 1, 4],
    ]);
    expect(summaryTable(summaries)).toContain('1 FAILED');
  });

  test('ratios: psql of the same data set, and the parallel pg_dump of the same data set and sink', () => {
    const summaries = summarize([
      run('psql-copy', 2),
      run('pg_dump-fd-j2-z1', 4),
      run('pg_dump-fd-j2-z1', 8, { sink: 'disk' }),
      run('pg_dump-fd-j2-z1', 100, { dataSet: 'pair' }),
      run('ours-gzip-w2', 6, { sink: 'disk' }),
    ]);

    expect(summaries.find(({ variant }) => variant === 'ours-gzip-w2')).toMatchObject({
      toLimit: 3,
      toParallelPeer: 0.75,
    });
  });
});

describe('judgeTargets', () => {
  const verdicts = (records: RunRecord[]) =>
    judgeTargets(summarize(records), [])
      .filter(({ verdict }) => verdict !== 'not measured')
      .map(({ name, dataSet, measured, verdict }) => [name, dataSet, measured, verdict]);

  test('at the limit: met; above it: not', () => {
    const peer = run('pg_dump-fd-j2-z1', 10);
    const name = 'gzip, 2 workers, to pg_dump -Fd -j2 -Z1, discarding';

    expect(verdicts([peer, run('ours-gzip-w2', 10)])[0]).toEqual([name, 'wide', 1, 'met']);
    expect(verdicts([peer, run('ours-gzip-w2', 10.1)])[0]).toEqual([name, 'wide', 1.01, 'NOT met']);
  });

  test('latency: the same case with 300 ms to that without', () => {
    const found = verdicts([run('ours-gzip-w2', 10), run('ours-gzip-w2', 10.9, { latencyMs: 300 })]);

    expect(found[0]).toEqual(['gzip, 2 workers, 300 ms to 0 ms', 'wide', 1.09, 'met']);
  });

  test('memory: one run of ours above the limit, and of no peer, decides', () => {
    const memory = (records: RunRecord[]) => verdicts(records).at(-1);

    expect(memory([run('ours-gzip-w1', 1, { peakMiB: 161 }), run('ours-gzip-w1', 1)])).toEqual([
      'peak memory of ours, all runs',
      'all',
      161,
      'NOT met',
    ]);
    expect(memory([run('ours-gzip-w1', 1), run('psql-copy', 1, { peakMiB: 999 })])?.at(-1)).toBe('met');
  });

  test('cases that were not run, or only failed: not measured, never met', () => {
    const targets = judgeTargets(summarize([run('ours-gzip-w2', null), run('pg_dump-fd-j2-z1', 1)]), []);

    expect(new Set(targets.map(({ verdict }) => verdict))).toEqual(new Set(['not measured']));
    expect(targetTable(targets)).toContain('not measured');
  });
});

describe('createRowCounter', () => {
  const printed = [
    'SET client_encoding = "UTF8";',
    'COPY public.a (id, body) FROM stdin;',
    '1\tone',
    '2\tCOPY public.b FROM stdin;',
    '',
    '\\.',
    '',
    '-- a comment, no row',
    'COPY public.empty  FROM stdin;',
    '\\.',
    '',
  ].join('\n');

  test('what pg_restore prints: only the lines of the tables are rows, blank ones and ones that look like COPY too', () => {
    const counter = createRowCounter();
    counter.add(Buffer.from(printed));

    expect(counter.rows()).toBe(3);
  });

  test('pieces of one byte: the same number', () => {
    const counter = createRowCounter();
    for (const byte of Buffer.from(printed)) counter.add(Buffer.of(byte));

    expect(counter.rows()).toBe(3);
  });
});

describe('proveManifest', () => {
  const dataSet = { tables: [{ schema: 'public', name: 'wide', rows: 10, copyBytes: 2_990 }] };
  const manifest = (rows: number, bytes: number, name = 'wide') => ({
    tables: [{ schema: 'public', name, dumpId: 1, key: 'k', rows, bytes, ranges: [] }],
  });

  test('the rows and bytes that the server was counted to have: that many rows are proven', () => {
    expect(proveManifest(manifest(10, 2_990), dataSet)).toBe(10);
  });

  test('one row or one byte less, or no such table: refused with both figures', () => {
    expect(() => proveManifest(manifest(9, 2_990), dataSet)).toThrow('9 rows and 2990 bytes of "wide", the server 10');
    expect(() => proveManifest(manifest(10, 2_989), dataSet)).toThrow('2989 bytes');
    expect(() => proveManifest(manifest(10, 2_990, 'other'), dataSet)).toThrow('no table "wide"');
  });
});
