// The page of purge: its tables and its policy are made, its commands are run in order on a database of their own, and they say
// what the page says; its numbers are those of the code.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STOP_PAUSE_SECONDS } from '../../functions/purge/batch/run-rows.ts';
import { verifyResults } from '../../functions/purge/certificate/verify-certificate.ts';
import { purgeSettings } from '../../functions/purge/environment.ts';
import { SMALL_TABLE_BYTES } from '../../functions/purge/policy/find-problems.ts';
import { pressureLimits } from '../../functions/purge/pressure/pressure-limits.ts';
import { type KmsServer, startKmsServer } from '../../local/kms-server.ts';
import { type OwnCluster, startOwnCluster } from '../database/own-cluster.ts';
import { compileCache } from '../support/compile-cache.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { readPage } from './shell-blocks.ts';

const root = join(import.meta.dirname, '../..');
const page = readPage('purge.md');
const sqlOf = (tag: string) => new RegExp(`^\`\`\`sql ${tag}\\n(.*?)\`\`\``, 'ms').exec(page)?.[1] ?? '';
/** Commands with what the page says that they print. */
const commands = [...page.matchAll(/^```sh ?([a-z-]*)\n(npm run .*?)```\n\n```text\n(.*?)```/gms)].map(
  ([, tag = '', script = '', output = '']) => ({ tag, script: script.trim(), output }),
);

let cluster: OwnCluster;
let aws: LocalAws;
let kms: KmsServer;
let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  cluster = await startOwnCluster();
  aws = await startLocalAws();
  kms = await startKmsServer();
  folder = mkdtempSync(join(tmpdir(), 'nightshift-purge-page-'));
});
afterAll(async () => {
  await kms.stop();
  await aws.stop();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

const loginOf = (dbname: string, role: 'purge' | 'migrate') => ({
  DATABASE_URL: `postgres://nightshift_${role}@${cluster.place.host}:${cluster.place.port}/${dbname}`,
  PGPASSWORD: role === 'purge' ? cluster.passwords.PURGE_SECRET_ARN : cluster.passwords.MIGRATE_SECRET_ARN,
});

async function shell(script: string, more: Record<string, string>): Promise<{ exitCode: number; output: string }> {
  // Certificate and key lie where the page says, beside which npm runs.
  const placed = script.replaceAll(/(?<= )(certificate\.json|key\.pem)/g, `${folder}/$1`);
  return await new Promise((resolve) => {
    const env = { ...environment, ...more };
    execFile('bash', ['-euo', 'pipefail', '-c', placed], { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code ?? 1) : 0, output: `${stderr}${stdout}` });
    });
  });
}

/** Without what is another one in each run: place, folders, instants, sizes and widths. */
function lines(text: string): string[] {
  return text
    .replaceAll(/ of "\w+" on \S+ as /g, ' of "…" on … as ')
    .replaceAll(/\d+ \w{3} \d{4} \d\d:\d\d/g, '…')
    .replaceAll(/\d+(\.\d)? (B|KiB)\b/g, '… KiB')
    .replaceAll(/ +/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

describe('docs/purge.md', () => {
  test('its policy and its commands, in order: each ends and says as the page says', async () => {
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    const client = await cluster.client(dbname);
    await client.query(sqlOf('tables'));
    await client.query(`
      insert into app.person select n, 'p' || n || '@example.com' from generate_series(1, 50) as n;
      insert into app.purchase (person_id, ordered_at)
        select 1 + n % 5, now() - interval '8 years' from generate_series(1, 1200) as n;
      insert into app.purchase (person_id, ordered_at) select 7, now() from generate_series(1, 3);
      insert into app.purchase_line select id, line from app.purchase, generate_series(1, 2) as line;
      analyze;
      grant usage on schema app to nightshift_migrate;
      grant select on app.purchase to nightshift_migrate;
      grant select, delete, update (id) on app.person to nightshift_purge`);
    await client.query(sqlOf('policy'));
    const arn = kms.createKey('ECC_NIST_P256');
    writeFileSync(join(folder, 'key.pem'), kms.publicKeyPem(arn));
    environment = {
      ...compileCache,
      PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
      HOME: folder,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: cluster.place.caFile,
      BACKUP_BUCKET: BUCKET,
      AWS_ENDPOINT_URL_KMS: kms.endpoint,
    };
    for (const name of ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL_S3'])
      environment[name] = process.env[name] ?? '';

    expect(commands.map(({ tag }) => tag)).toEqual(['', 'as-owner', '', '', 'as-owner', '', 'erase', 'key', 'archive']);
    let evidence = { certificate: '', archive: '' };
    for (const { tag, script, output } of commands) {
      const login = loginOf(dbname, tag === 'as-owner' ? 'migrate' : 'purge');
      if (tag === 'key') {
        const { certificate } = evidence;
        await shell(`npm run -s purge -- --sign ${certificate} --signing-key ${arn}`, login);
        for (const name of ['certificate.json', 'certificate.signature.json'])
          copyFileSync(join(aws.bucketFolder, certificate, '..', name), join(folder, name));
      }

      const end = await shell(script, { ...login, MANIFEST: evidence.archive });

      expect({ script, ...end }).toMatchObject({ script, exitCode: 0 });
      const said = lines(end.output);
      const missing = lines(output).filter((line) => !said.some((one) => one.includes(line)));
      expect({ missing, said: missing.length === 0 ? [] : said }).toEqual({ missing: [], said: [] });
      const certificate = /certificate: (\S+purchases\S+)/.exec(end.output)?.[1];
      const archive = /archive: .*: (\S+)/.exec(end.output)?.[1];
      if (certificate !== undefined && archive !== undefined) evidence = { certificate, archive };
    }
    expect((await client.query('select from app.purchase')).rowCount).toBe(1);
    expect((await client.query('select from app.person where id = 7')).rowCount).toBe(0);
  }, 120_000);

  test('its numbers and words: they are those of the code', () => {
    const GIB = 1024 ** 3;
    const text = page.replaceAll('\n', ' ');

    for (const words of [
      `starts with ${(purgeSettings.BATCH_ROWS.fallback ?? 0).toLocaleString('en-US')} rows`,
      `a target of ${purgeSettings.TARGET_BATCH_MS.fallback} ms`,
      `the lock timeout (${(purgeSettings.LOCK_TIMEOUT_MS.fallback ?? 0) / 1_000} s)`,
      `more than ${pressureLimits.replicaLagSeconds} s behind (${pressureLimits.auroraLagSeconds} s on Aurora)`,
      `more than ${pressureLimits.slotBytes / GIB} GiB of WAL`,
      `above ${SMALL_TABLE_BYTES / 1024 / 1024} MiB`,
      ...verifyResults.map((result) => `\`${result}\``),
    ])
      expect(text).toContain(words);
    expect(readPage('runbook.md').replaceAll('\n', ' ')).toContain('every five minutes whether it may go on');
    expect(STOP_PAUSE_SECONDS).toBe(300);
  });
});
