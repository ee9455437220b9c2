// `npm run backups` as a process of its own against an S3 server, as somebody starts it in an emergency.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { compactInstant } from '../../functions/shared/clock.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import type { BackupList } from '../../local/backups/list-backups.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { DAMAGED, storeBackup } from '../support/store-backup.ts';

const root = new URL('../../', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'nightshift-backups-'));

let aws: LocalAws;
let store: ObjectStore;
beforeAll(async () => {
  aws = await startLocalAws();
  store = createObjectStore(BUCKET);
});
afterEach(() => aws.setFault(undefined));
afterAll(async () => {
  await aws.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the command; AWS is reached by the standard variables only. */
async function backups(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL_S3, PATH } = process.env;
  const env = { PATH, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL: AWS_ENDPOINT_URL_S3 };
  return await new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
    execFile(
      process.execPath,
      ['local/backups.ts', ...args],
      { cwd: root, env: { ...env, ...environment } },
      (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
const idHoursAgo = (hours: number) => compactInstant(hoursAgo(hours));
const minutesLater = (instant: Date, minutes: number) => new Date(instant.getTime() + minutes * 60_000).toISOString();

describe('npm run backups', () => {
  test('a good backup: its line has everything, the RPO is met, exit code 0', async () => {
    const id = idHoursAgo(4);
    await storeBackup(store, 'good', id, {
      manifest: { finishedAt: minutesLater(hoursAgo(4), 3) },
      verified: {},
      drilled: { finishedAt: hoursAgo(2).toISOString(), rtoSeconds: 61 },
    });

    const { code, stdout, stderr } = await backups(['--bucket', BUCKET, '--database', 'good', '--max-age-hours', '31']);

    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`${id} .* 4 h .* 3 min [0-9] s .* drilled .* ok, 2 h ago .* 61 s`));
    expect(stdout).toMatch(/RPO met: the last 4 h would be lost .*; the limit is 31 hours, 26 h left\./);
    expect(stdout).not.toContain('\u001B');
    expect(code).toBe(0);
  });

  test('one in every state: each is there, broken and unreadable ones stand out with why, exit code 1', async () => {
    const ids = [1, 2, 3, 4, 5].map(idHoursAgo);
    const [unreadable = '', broken = '', candidate = '', verified = '', drilled = ''] = ids;
    await store.putNew(backupKeys('states', unreadable).manifest, '{"half', 'application/json');
    await storeBackup(store, 'states', broken, { verified: DAMAGED });
    await storeBackup(store, 'states', candidate);
    await storeBackup(store, 'states', verified, { verified: {} });
    await storeBackup(store, 'states', drilled, { verified: {}, drilled: {} });

    const { code, stdout } = await backups(['--bucket', BUCKET, '--database', 'states', '--max-age-hours', '31']);

    const lines = stdout.split('\n');
    const states = ['UNREADABLE', 'BROKEN', 'candidate', 'verified', 'drilled'];
    for (const [index, state] of states.entries())
      expect(lines.find((line) => line.startsWith(`│ ${ids[index]}`))).toContain(state);
    expect(stdout).toContain(`${unreadable} is unreadable: manifest`);
    expect(stdout).toContain(`${broken} is broken: 1 finding of verify, the first in archive/100.dat.gz`);
    expect(stdout).toContain(`RPO met: the last 4 h would be lost with the database now (${verified}, verified)`);
    expect(code).toBe(1);
  });

  test.each([
    [
      'there is no backup',
      'empty',
      /RPO not met: everything would be lost with the database now, because there is no backup/,
    ],
    ['only a candidate', 'unverified', /RPO not met: everything would be lost .* because no backup was verified/],
    [
      'the newest is too old',
      'old',
      /RPO not met: the last 3 d 4 h would be lost .*; the limit is 31 hours, 45 h over it\./,
    ],
  ])('%s: the RPO is not met, exit code 1', async (_, database, words) => {
    if (database === 'unverified') await storeBackup(store, database, idHoursAgo(1));
    if (database === 'old') await storeBackup(store, database, idHoursAgo(76.01), { verified: {} });

    const { code, stdout } = await backups(['--bucket', BUCKET, '--database', database, '--max-age-hours', '31']);

    expect(stdout).toMatch(words);
    expect(code).toBe(1);
  });

  test('--json: the same as data, for another program', async () => {
    const id = idHoursAgo(2);
    await storeBackup(store, 'json', id, { verified: {} });

    const { code, stdout } = await backups(['--json', '--max-age-hours', '31'], {
      BACKUP_BUCKET: BUCKET,
      DATABASE_NAME: 'json',
    });

    const list: BackupList = JSON.parse(stdout);
    expect(list.backups).toEqual([
      expect.objectContaining({ backupId: id, state: 'verified', drill: null, rows: expect.any(Number) }),
    ]);
    expect(list.rpo).toMatchObject({ backupId: id, limitHours: 31, isMet: true });
    expect(list.rpo.gapHours).toBeCloseTo(29, 1);
    expect(code).toBe(0);
  });

  test('neither a database nor a limit is named: both come from nightshift.config.ts', async () => {
    await storeBackup(store, 'sample', idHoursAgo(1), { verified: {} });

    const { stdout } = await backups(['--bucket', BUCKET]);

    expect(stdout).toContain('Backups of "sample"');
    expect(stdout).toContain('the limit is 31 hours');
  });

  test('no limit is known for the database: the list is there, the RPO is unknown and never met', async () => {
    await storeBackup(store, 'foreign', idHoursAgo(1), { verified: {} });

    const { code, stdout } = await backups(['--bucket', BUCKET, '--database', 'foreign']);

    expect(stdout).toContain('RPO unknown: the last 60 min would be lost');
    expect(stdout).toContain('give --max-age-hours');
    expect(code).toBe(1);
  });

  test.each([
    ['no bucket', ['--database', 'good'], 'the bucket is not named'],
    ['a blank bucket', ['--bucket', ' '], '--bucket is blank'],
    ['an unknown option', ['--bukket', BUCKET], "Unknown option '--bukket'"],
    [
      'a limit that is no number',
      ['--bucket', BUCKET, '--max-age-hours', '1d'],
      '--max-age-hours is "1d"; it must be a whole number from 1 to 87600',
    ],
    [
      'a name that no database may have',
      ['--bucket', BUCKET, '--database', '../x'],
      'the database is "../x"; it must be 1 to 40 lower-case letters',
    ],
  ])('%s: one line says what is wrong, a second what to do, exit code 2', async (_, args, words) => {
    const { code, stdout, stderr } = await backups(args);

    expect(stderr).toContain(words);
    expect(stderr).toMatch(/Nothing was read\.\nHint: .+\.\n$/);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('the config names two databases and none is given: it says which there are, exit code 2', async () => {
    const { config } = await import('../../nightshift.config.ts');
    const [sample] = config.databases;
    const path = join(folder, 'two.json');
    writeFileSync(path, JSON.stringify({ databases: [sample, { ...sample, name: 'orders' }] }));

    const { code, stderr } = await backups(['--bucket', BUCKET], { NIGHTSHIFT_CONFIG: path });

    expect(stderr).toContain('has 2: sample, orders');
    expect(code).toBe(2);
  });

  test('S3 refuses: it says so instead of showing an empty list, exit code 1', async () => {
    aws.setFault(() => ({ status: 403, code: 'AccessDenied' }));

    const { code, stdout, stderr } = await backups(['--bucket', BUCKET, '--database', 'good']);

    expect(stderr).toContain('AccessDenied');
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  test('--help: every option and exit code', async () => {
    const { code, stdout } = await backups(['--help']);

    for (const word of ['--bucket', '--database', '--max-age-hours', '--json', 'Exit codes: 0'])
      expect(stdout).toContain(word);
    expect(code).toBe(0);
  });
});
