import { describe, expect, test } from 'vitest';
import { describeCommand } from '../../../bench/backup/peer-commands.ts';
import { neededMiB } from '../../../bench/restore/bench-restore.ts';
import type { StepName } from '../../../bench/restore/cases.ts';
import { HELP_RESTORE, parseRestoreArguments } from '../../../bench/restore/parse-restore-arguments.ts';
import { restoreCommand } from '../../../bench/restore/restore-commands.ts';
import { LocalRunError } from '../../../local/local-run-error.ts';

describe('parseRestoreArguments', () => {
  test('nothing is given: all data sets, three rounds, 512 MiB, and a seed that can be given again', () => {
    const options = parseRestoreArguments([]);

    expect(options).toMatchObject({ rounds: 3, sizeMiB: 512, dataSets: ['wide', 'pair', 'pgbench'] });
    const { seed } = options === 'help' ? { seed: -1 } : options;
    expect(seed).toBeGreaterThanOrEqual(0);
    expect(parseRestoreArguments(['--seed', String(seed)])).toMatchObject({ seed });
  });

  test('everything is given: read as it is, data sets in their own order', () => {
    const args = ['--rounds', '5', '--size', '64', '--data', 'pgbench,wide', '--server', '17', '--json', 'out.json'];

    expect(parseRestoreArguments(args)).toMatchObject({
      rounds: 5,
      sizeMiB: 64,
      dataSets: ['wide', 'pgbench'],
      serverMajor: 17,
      jsonFile: 'out.json',
    });
  });

  test.each([
    [['--rounds', '0'], '--rounds is "0"; it must be a whole number from 1 to 50'],
    [['--size', '1GB'], '--size is "1GB"; it must be a whole number from 1 to 100000'],
    [['--data', 'tall'], '--data has "tall"; allowed are wide, pair, pgbench'],
    [['--server', '15'], '--server is "15"; it must be a whole number from 16 to 18'],
    [['--seed', '-'], '--seed is "-"; it must be a whole number from 0 to 4294967295'],
    [['--json', ' '], '--json is blank; it must name a file'],
    [['--sink', 'disk'], "Unknown option '--sink'"],
    [['again'], '"again" is no option'],
  ])('wrong options %j: one error that says what is allowed, and a hint', (args, problem) => {
    expect(() => parseRestoreArguments(args)).toThrow(LocalRunError);
    expect(() => parseRestoreArguments(args)).toThrow(problem);
    expect(() => parseRestoreArguments(args)).toThrow('Nothing was started');
    expect(() => parseRestoreArguments(args)).toThrow('Hint: npm run bench -- restore --help');
  });

  test('--help: wins over everything else, and names every option', () => {
    expect(parseRestoreArguments(['--help', 'again'])).toBe('help');
    for (const option of ['rounds', 'size', 'data', 'server', 'apt-sources', 'seed', 'json'])
      expect(HELP_RESTORE).toContain(`--${option} `);
  });
});

describe('restoreCommand', () => {
  const programs = {
    restorer: {
      clients: { directory: '/bin17', major: 17, psql: '/usr/bin/psql' },
      host: 'localhost',
      port: 5432,
      username: 'postgres',
      password: 'hidden-password',
      caFile: '/ca.pem',
    },
    vacuumdb: '/usr/bin/vacuumdb',
    restoreProgram: '/bundle/index.mjs',
    downloadProgram: '/download/index.mjs',
  };
  const place = { backupId: '20260101T000000Z', archiveFolder: '/archive', s3: 'http://127.0.0.1:9' };
  const described = (step: StepName) =>
    describeCommand({ ...restoreCommand(programs, step, place), output: undefined }, true);

  test('pg_restore and ours: the same server, role, TLS and number of sessions', () => {
    for (const step of ['pg_restore', 'ours'] as const) {
      expect(described(step)).toContain('PGHOST=localhost PGPORT=5432 PGUSER=postgres');
      expect(described(step)).toContain('PGSSLMODE=verify-full PGSSLROOTCERT=/ca.pem');
    }
    expect(described('pg_restore')).toContain('/bin17/pg_restore -j2 -d bench_restored /archive');
    expect(described('ours')).toContain('--jobs 2');
    expect(restoreCommand(programs, 'ours', place).environment).toMatchObject({ NIGHTSHIFT_POSTGRES_BIN: '/bin17' });
  });

  test('no command has the password in its arguments', () => {
    for (const step of ['pg_restore', 'vacuumdb', 'download', 'ours'] as const)
      expect(described(step)).not.toContain('hidden-password');
  });
});

describe('neededMiB', () => {
  test('every data set lies there at the same time, and one restored', () => {
    const one = neededMiB({ sizeMiB: 100, dataSets: ['wide'] });

    expect(one).toBeGreaterThan(2 * 100 * 1.6);
    expect(neededMiB({ sizeMiB: 100, dataSets: ['wide', 'pair'] }) - one).toBeGreaterThan(200);
  });
});
