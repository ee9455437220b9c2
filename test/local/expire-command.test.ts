// `npm run expire` as a person starts it: a process of its own against the S3 stand-in. It must never delete.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expireResult } from '../../functions/expire/contract.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { config } from '../../nightshift.config.ts';
import { readVersions } from '../support/expire-run.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { storeBackup } from '../support/stored-backup.ts';

const folder = mkdtempSync(join(tmpdir(), 'nightshift-expire-command-'));
const configFile = join(folder, 'config.json');
/** Some days before the real now, which is what the command goes by. */
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
const idOf = (instant: Date) => `${instant.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;

let aws: LocalAws;
let store: ObjectStore;
beforeAll(async () => {
  aws = await startLocalAws();
  store = createObjectStore(BUCKET);
  const [sample] = config.databases;
  const expire = { keep: { within: '3d' }, keepAtLeast: 1, keepUnverifiedDays: 2, maxDeletePercent: 60 };
  const databases = ['shop', 'empty'].map((name) => ({ ...sample, name, expire }));
  writeFileSync(configFile, JSON.stringify({ databases }));
  for (const days of [1, 2, 9]) await storeBackup(store, 'shop', idOf(daysAgo(days)));
  await storeBackup(store, 'shop', idOf(daysAgo(5)), { state: 'broken' });
});
afterAll(async () => {
  await aws.stop();
  rmSync(folder, { recursive: true });
});

async function run(...args: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const { BACKUP_BUCKET: _, DATABASE_NAME: __, ...env } = process.env;
  // AWS_ENDPOINT_URL alone, as somebody has it who works with a stand-in.
  const { AWS_ENDPOINT_URL_S3: AWS_ENDPOINT_URL, AWS_REGION: ___, ...more } = env;
  const child = spawn('node', ['local/expire.ts', ...args], { env: { ...more, AWS_ENDPOINT_URL } });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (output.stdout += String(data)));
  child.stderr.on('data', (data) => (output.stderr += String(data)));
  const exitCode = await new Promise<number | null>((ended) => child.once('close', ended));
  return { exitCode, ...output };
}

const plan = async (...args: string[]) => await run('--plan', '--bucket', BUCKET, '--config', configFile, ...args);

describe('npm run expire', () => {
  test('--plan: every backup with state, decision and reasons, no colours in a pipe, and nothing is deleted', async () => {
    const before = await readVersions('shop');

    const { exitCode, stdout, stderr } = await plan('--database', 'shop');

    const rows = stdout.split('\n').filter((line) => line.includes('Z '));
    expect(rows.map((row) => row.replaceAll(/ +/g, ' ').split(' │ ').slice(2).join(' | '))).toEqual([
      '24 h | 14 B | verified | keep | within 3d; newest verified │',
      '2 d | 14 B | verified | keep | within 3d │',
      expect.stringMatching(/^5 d \| 14 B \| broken \| delete \| broken for more than 2 days/),
      '9 d | 14 B | verified | delete | no rule keeps it (within 3d) │',
    ]);
    expect(stdout).toContain('Policy: within 3d.');
    expect(stdout).toContain('Nothing was deleted.');
    expect(stdout).not.toContain('\u001b');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(await readVersions('shop')).toEqual(before);
  });

  test('a plan that is refused: it says why, exit code 1', async () => {
    const { exitCode, stdout } = await plan('--database', 'shop', '--keep', 'last=1', '--max-delete-percent', '50');

    expect(stdout).toContain('Refused, the job would delete nothing: it would delete 2 of 3 verified backups');
    expect(exitCode).toBe(1);
  });

  test('--json: the answer of the job; no backup: the table says so', async () => {
    const json = await plan('--database', 'shop', '--json');
    const empty = await plan('--database', 'empty');

    expect(expireResult.parse(JSON.parse(json.stdout))).toMatchObject({ dryRun: true, policy: 'within 3d' });
    expect(empty).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('There is no backup.') });
  });

  test('--help: it says that there is no deletion here', async () => {
    const { exitCode, stdout } = await run('--help');

    expect(stdout).toContain('there is no option that does');
    expect(exitCode).toBe(0);
  });

  test.each([
    [[], '--plan is missing'],
    [['--plan'], '--bucket and --database are missing'],
    [['--plan', '--bucket', ' ', '--database', 'shop'], '--bucket is blank'],
    [['--delete'], "Unknown option '--delete'"],
    [['--plan', '--bucket', BUCKET, '--database', 'shop', '--config', 'nowhere.ts'], 'nowhere.ts is wrong'],
    [['--plan', '--bucket', BUCKET, '--database', 'other', '--config', configFile], 'has no database "other"'],
    [
      ['--plan', '--bucket', BUCKET, '--database', 'shop', '--config', configFile, '--keep', 'last=0'],
      'KEEP_POLICY is "last=0"',
    ],
  ])('bad options %j: one clear error, exit code 2', async (args, problem) => {
    const { exitCode, stdout, stderr } = await run(...args);

    expect(stderr).toContain(problem);
    expect(stderr).toContain('Hint:');
    expect(stderr).not.toContain('    at ');
    expect([exitCode, stdout]).toEqual([2, '']);
  });

  test('S3 does not answer as it should: the failure is told, exit code 1', async () => {
    aws.setFault(() => ({ status: 403, code: 'AccessDenied' }));

    const { exitCode, stderr } = await plan('--database', 'shop');
    aws.setFault(undefined);

    expect(stderr).toContain('AccessDenied');
    expect(exitCode).toBe(1);
  });
});
