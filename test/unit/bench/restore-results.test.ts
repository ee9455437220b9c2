import { describe, expect, test } from 'vitest';
import { targetTable } from '../../../bench/backup/tables.ts';
import { restoreCases, restoreRows, type StepName } from '../../../bench/restore/cases.ts';
import { proveRestore } from '../../../bench/restore/prove-restore.ts';
import { restoreTable } from '../../../bench/restore/restore-table.ts';
import type { RestoreRecord, RestoreStep } from '../../../bench/restore/run-record.ts';
import { judgeRestores, summarizeRestores } from '../../../bench/restore/summarize-restores.ts';

function step(name: StepName, wallSeconds: number, peakMiB = 50): RestoreStep {
  const usage = {
    client: { cpuSeconds: 1, peakMiB, firstProcessPeakMiB: peakMiB - 10 },
    server: { cpuSeconds: 2, peakMiB: 60 },
    sink: name === 'ours' || name === 'download' ? { cpuSeconds: 0.5, peakMiB: 70 } : null,
  };
  return { name, wallSeconds, usage };
}

/** A run with these steps; null is one that failed. */
function run(ofCase: string, steps: RestoreStep[] | null, dataSet = 'wide'): RestoreRecord {
  const failure = steps === null ? 'it failed' : null;
  const startedAt = '2026-01-01T00:00:00.000Z';
  return { position: 1, round: 1, dataSet, copyBytes: 100e6, ofCase, startedAt, steps, failure };
}

const fromFiles = (seconds: number, vacuumSeconds = 1) =>
  run('pg_restore', [step('pg_restore', seconds), step('vacuumdb', vacuumSeconds)]);
const wallOf = (records: RestoreRecord[]) =>
  Object.fromEntries(summarizeRestores(records).map(({ row, wallSeconds }) => [row, wallSeconds?.median]));

describe('restoreRows', () => {
  test.each(restoreRows)('$name: is of a case that is run, and of steps that it has', ({ ofCase, steps }) => {
    const known: readonly string[] = restoreCases.find((one) => one.name === ofCase)?.steps ?? [];

    expect(steps.length).toBeGreaterThan(0);
    expect(known).toEqual(expect.arrayContaining([...steps]));
  });
});

describe('summarizeRestores', () => {
  test('a run of pg_restore with vacuumdb: is a line without and one with the statistics', () => {
    expect(wallOf([fromFiles(10, 2)])).toEqual({ 'pg_restore-j2': 10, 'pg_restore-j2-vacuumdb': 12 });
  });

  test('the download counts with what it is for', () => {
    const steps = [step('download', 3), step('pg_restore', 10), step('vacuumdb', 1)];

    expect(wallOf([run('download-100ms', steps)])).toEqual({
      'download-100ms-pg_restore-j2': 13,
      'download-100ms-pg_restore-j2-vacuumdb': 14,
    });
  });

  test('several runs: median and range of the time, speed of the median run, the highest memory of any step', () => {
    const runs = [step('ours', 8, 150), step('ours', 2, 190), step('ours', 4)].map((one) => run('ours', [one]));

    expect(summarizeRestores(runs)).toMatchObject([
      {
        row: 'ours-j2',
        wallSeconds: { median: 4, min: 2, max: 8, count: 3 },
        copyMegabytesPerSecond: 25,
        clientPeakMiB: 190,
        firstProcessPeakMiB: 180,
        storeCpuSeconds: 0.5,
      },
    ]);
  });

  test('a line without S3: has no processor time of one', () => {
    expect(summarizeRestores([fromFiles(1)])[0]?.storeCpuSeconds).toBeUndefined();
  });

  test('a failed run: is counted and shown, and has no part in the median', () => {
    const summaries = summarizeRestores([run('ours', [step('ours', 4)]), run('ours', null)]);

    expect(summaries).toMatchObject([{ failures: 1, wallSeconds: { median: 4, count: 1 } }]);
    expect(restoreTable(summaries)).toContain('1 FAILED');
  });

  test('ratios: to the peers of the same data set, without their statistics', () => {
    const other = run('pg_restore', [step('pg_restore', 100), step('vacuumdb', 1)], 'pair');
    const summaries = summarizeRestores([other, fromFiles(10, 5), run('ours', [step('ours', 5)])]);

    expect(summaries.find(({ row }) => row === 'ours-j2')).toMatchObject({
      dataSet: 'wide',
      toFilesPeer: 0.5,
      toDownloadPeer: undefined,
    });
  });
});

describe('judgeRestores', () => {
  const verdicts = (records: RestoreRecord[]) =>
    judgeRestores(summarizeRestores(records)).map(({ name, measured, verdict }) => [name, measured, verdict]);
  const late = (seconds: number) => [
    run('download-100ms', [step('download', 4), step('pg_restore', 6), step('vacuumdb', 1)]),
    run('ours-100ms', [step('ours', seconds)]),
  ];

  test('local files: at the limit met, above it not', () => {
    const name = 'ours to pg_restore -j2 of local files';

    expect(verdicts([fromFiles(100), run('ours', [step('ours', 105)])])[0]).toEqual([name, 1.05, 'met']);
    expect(verdicts([fromFiles(100), run('ours', [step('ours', 106)])])[0]).toEqual([name, 1.06, 'NOT met']);
  });

  test('latency: both with 100 ms, the download counts', () => {
    const name = 'ours to download and pg_restore -j2, both with 100 ms';

    expect(verdicts(late(7.5))[1]).toEqual([name, 0.75, 'met']);
    expect(verdicts(late(8.5))[1]).toEqual([name, 0.85, 'NOT met']);
  });

  test('memory: one run of ours above the limit, and of no peer, decides', () => {
    const download = run('download-100ms', [step('download', 1, 900), step('pg_restore', 1), step('vacuumdb', 1)]);

    expect(
      verdicts([download, run('ours', [step('ours', 1, 200)])])
        .at(-1)
        ?.slice(1),
    ).toEqual([200, 'met']);
    expect(verdicts([run('ours', [step('ours', 1)]), run('ours-100ms', [step('ours', 1, 201)])]).at(-1)?.[2]).toBe(
      'NOT met',
    );
  });

  test('runs that failed: not measured, never met', () => {
    const targets = judgeRestores(summarizeRestores([fromFiles(1), run('ours', null), run('ours-100ms', null)]));

    expect(new Set(targets.map(({ verdict }) => verdict))).toEqual(new Set(['not measured']));
    expect(targetTable(targets)).toContain('not measured');
  });
});

describe('proveRestore', () => {
  const source = {
    tables: [{ schema: 'public', name: 'wide', rows: 10, copyBytes: 2_990 }],
    built: { indexes: 4, constraints: 8 },
  };
  /** A server that has these. */
  const server = (rows: number, built: { indexes: number; constraints: number }) => {
    const query = async (sql: string) => ({ rows: sql.includes('pg_index') ? [built] : [{ n: String(rows) }] });
    return { query } as unknown as Parameters<typeof proveRestore>[0];
  };

  test('all rows, indexes and constraints are there: proven', async () => {
    await expect(proveRestore(server(10, { indexes: 4, constraints: 8 }), source)).resolves.toBeUndefined();
  });

  test.each([
    ['one row is missing', server(9, { indexes: 4, constraints: 8 }), '"wide" was restored with 9 rows instead of 10'],
    ['an index is missing', server(10, { indexes: 3, constraints: 8 }), '3 indexes and 8 constraints were restored'],
    ['a constraint is missing', server(10, { indexes: 4, constraints: 7 }), 'instead of 4 and 8'],
  ])('%s: refused with both figures', async (_, restored, message) => {
    await expect(proveRestore(restored, source)).rejects.toThrow(message);
  });
});
