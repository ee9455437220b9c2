import { describe, expect, test } from 'vitest';
import { caseNames, chooseCases, describeCase } from '../../../bench/backup/cases.ts';
import { neededSpace } from '../../../bench/backup/must-have-space.ts';
import { describeCommand, peerCommand } from '../../../bench/backup/peer-commands.ts';

const all = { sinks: ['discard', 'disk'], latenciesMs: [0, 300] } as const;
const names = (serverMajor: number) => [
  ...new Set(chooseCases({ ...all, serverMajor }).map(({ variant }) => variant.name)),
];

describe('chooseCases', () => {
  test('a server before 16: no zstd, neither ours nor that of pg_dump', () => {
    expect(names(15)).toEqual(caseNames.filter((name) => !name.includes('zstd')));
  });

  test('a server of 16: everything', () => {
    expect(names(16)).toEqual(caseNames);
  });

  test('more latency: only for ours, and only where no disk hides it', () => {
    const late = chooseCases({ ...all, serverMajor: 16 }).filter(({ latencyMs }) => latencyMs > 0);

    expect(late).toHaveLength(4);
    expect(late.every(({ variant, sink }) => variant.who === 'ours' && sink === 'discard')).toBe(true);
    expect(late.map(describeCase)).toContain('ours-gzip-w2 discard +300 ms');
  });

  test('psql: only discards, because it makes no archive', () => {
    const limits = chooseCases({ ...all, serverMajor: 16, only: ['psql-copy'] });

    expect(limits.map(({ sink }) => sink)).toEqual(['discard']);
  });
});

describe('peerCommand', () => {
  const place = {
    clients: { directory: '/bin17', major: 17, psql: '/usr/bin/psql' },
    host: 'localhost',
    port: 5432,
    username: 'reader',
    password: 'hidden-password',
    caFile: '/ca.pem',
  };
  const dataSet = { dbname: 'bench_wide', tables: [{ schema: 'public', name: 'wide', rows: 1, copyBytes: 1 }] };
  const command = (name: string, sink: 'discard' | 'disk') => {
    const [found] = chooseCases({ serverMajor: 17, sinks: ['discard'], latenciesMs: [0], only: [name] });
    if (found?.variant.who !== 'peer') throw new Error(`${name} is no peer`);
    return peerCommand(place, found.variant, sink, dataSet, '/run');
  };

  test('a custom archive that is discarded: goes to /dev/null through standard output', () => {
    expect(describeCommand(command('pg_dump-fc', 'discard'), false)).toBe('/bin17/pg_dump -Fc > /dev/null');
  });

  test('archives that are kept: go into the folder of the run, and do not wait for the disk, as our store does not', () => {
    expect(describeCommand(command('pg_dump-fd-j2-z1', 'discard'), false)).toBe(
      '/bin17/pg_dump -Fd -j2 -Z1 --no-sync -f /run/archive',
    );
    expect(command('pg_dump-fc', 'disk').output).toBe('/run/archive');
  });

  test('its description: has the connection as it was, without the password', () => {
    const text = describeCommand(command('psql-copy', 'discard'), true);

    expect(text).toContain('PGSSLMODE=verify-full');
    expect(text).toContain(`-c 'copy "public"."wide" to stdout' > /dev/null`);
    expect(text).not.toContain('hidden-password');
  });
});

describe('neededSpace', () => {
  test('data sets lie there together, growth one after the other: their sum and the largest', () => {
    const little = neededSpace({ rounds: 3, sizeMiB: 100, dataSets: ['wide', 'pair'], growthGiB: [] });
    const more = neededSpace({ rounds: 3, sizeMiB: 100, dataSets: ['wide', 'pair'], growthGiB: [1, 0.3] });

    expect(little.diskMiB).toBeGreaterThan(200);
    expect(more.diskMiB - little.diskMiB).toBeCloseTo(1_024 * 1.6, -1);
    expect(neededSpace({ rounds: 0, sizeMiB: 100, dataSets: ['wide'], growthGiB: [] }).memoryMiB).toBe(0);
  });
});
