// The benchmark of the purge in small, from its options to its file: a path that only its full size took would break there.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { benchPurge } from '../../bench/purge/bench-purge.ts';
import { purge } from '../../bench/purge/delete-rows.ts';
import type { PurgeRecord } from '../../bench/purge/run-record.ts';

describe('benchPurge', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('a few thousand rows: both ways delete all that is past retention under load, and every figure is there', async () => {
    const said: string[] = [];
    const json = join(folder, 'purge.json');
    const { signal } = new AbortController();

    const ok = await benchPurge(
      ['--rows', '6000', '--rounds', '1', '--idle', '0.6', '--only', 'shared-naive,snapshot-ours', '--json', json],
      signal,
      (words) => said.push(words),
    );

    expect(said.filter((words) => words.includes('FAILED'))).toEqual([]);
    expect(ok).toBe(true);
    const { runs }: { runs: PurgeRecord[] } = JSON.parse(readFileSync(json, 'utf8'));
    expect(runs.map(({ ofCase }) => ofCase).toSorted()).toEqual(['shared-naive', 'snapshot-ours']);
    for (const { figures } of runs) {
      expect(figures?.rowsPerSecond).toBeGreaterThan(0);
      expect(figures?.batches).toBeGreaterThan(0);
      expect(figures?.live.idle?.count).toBeGreaterThan(20);
      expect(figures?.loadWalBytesPerSecond).toBeGreaterThan(0);
    }
    // The DELETE may be over before any transaction is due.
    const ours = runs.find(({ ofCase }) => ofCase === 'snapshot-ours');
    expect(ours?.figures?.live.during?.p99Ms).toBeGreaterThan(0);
    expect(said.at(-1)).toContain('Targets');
  });
});

describe('purge', () => {
  test('our purge fails: its own words are told, and it is no run that took no time', async () => {
    const { host, port, caFile } = inject('cluster');
    const login = { username: 'nobody_here', password: 'only-in-this-test' };
    const place = { host, port, caFile, dbname: 'postgres', folder: tmpdir(), ...login };

    await expect(purge(place, new AbortController().signal)).rejects.toThrow(
      /the process of our purge ended with code 1: .*nobody_here/s,
    );
  });
});
