// The page of migrations: its files are written, its commands are run in order on a database of their own, and they say what the page
// says; its numbers are those of the code.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCK_PAUSE } from '../../functions/migrate/engine/lock-retry.ts';
import { migrateSettings } from '../../functions/migrate/environment.ts';
import { LONGEST_COUNT_MS } from '../../functions/migrate/losses/count-rows.ts';
import { MOST_BACKUP_HOURS } from '../../functions/migrate/plan/backup-reason.ts';
import { LONGEST_LOCK_SECONDS } from '../../functions/migrate/plan/file-reasons.ts';
import { MOST_LAG_SECONDS, OLD_TRANSACTION_SECONDS } from '../../functions/migrate/plan/live-reasons.ts';
import { BATCH_ROWS, LONGEST_TIMEOUT_SECONDS } from '../../functions/shared/migration-header.ts';
import { LOOK_EVERY_MS } from '../../local/migrate/show-progress.ts';
import { type OwnCluster, startOwnCluster } from '../database/own-cluster.ts';
import { compileCache } from '../support/compile-cache.ts';
import { readPage } from './shell-blocks.ts';

const root = join(import.meta.dirname, '../..');
const page = readPage('migrations.md');
const files = [...page.matchAll(/^`(\d{4}_\w+\.(?:up|down)\.sql)`:\n\n```sql\n(.*?)```/gms)];
/** Commands with what the page says that they print; the shell of the tag "setup" and "aws" is not run. */
const commands = [...page.matchAll(/^```sh ?([a-z-]*)\n(npm run [^`]*?)```\n\n```text\n(.*?)```/gms)].map(
  ([, tag = '', script = '', output = '']) => ({ tag, script: script.trim(), output }),
);

let cluster: OwnCluster;
let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  cluster = await startOwnCluster();
  folder = mkdtempSync(join(tmpdir(), 'nightshift-migrations-page-'));
  mkdirSync(join(folder, 'm'));
  for (const [, name = '', text = ''] of files) writeFileSync(join(folder, 'm', name), text);
  await newDatabase();
});
afterAll(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function newDatabase() {
  const dbname = await cluster.createDatabase();
  await cluster.bootstrap(dbname);
  const client = await cluster.client(dbname);
  await client.query('grant create on schema public to nightshift_migrate');
  const { host, port, caFile } = cluster.place;
  environment = {
    ...compileCache,
    PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
    HOME: folder,
    DATABASE_URL: `postgres://nightshift_migrate@${host}:${port}/${dbname}`,
    PGPASSWORD: cluster.passwords.MIGRATE_SECRET_ARN,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: caFile,
    MIGRATIONS: join(folder, 'm'),
  };
  return client;
}

async function shell(script: string): Promise<{ exitCode: number; output: string }> {
  return await new Promise((resolve) => {
    execFile('bash', ['-euo', 'pipefail', '-c', script], { cwd: root, env: environment }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code ?? 1) : 0, output: `${stderr}${stdout}` });
    });
  });
}

/** Without what is another one in each run: place, who asks, pids, durations and folders. */
function lines(text: string): string[] {
  return text
    .replaceAll(/ of "\w+" on \S+ as /g, ' of "…" on … as ')
    .replaceAll(/asked for by \w+$/gm, 'asked for by …')
    .replaceAll(/pid \d+/g, 'pid …')
    .replaceAll(/\d+(\.\d)? s\b/g, '… s')
    .replaceAll(/ +\/\S+\/m\//g, '  …/')
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' ').trim())
    .filter((line) => line !== '');
}

describe('docs/migrations.md', () => {
  test('its commands, in order: each ends and says as the page says', async () => {
    expect(files).toHaveLength(4);
    expect(commands.map(({ tag }) => tag)).toEqual(['', '', '', 'after-rows', 'fails', '', 'new-database', '']);
    let client = await cluster.client(new URL(environment['DATABASE_URL'] ?? '').pathname.slice(1));
    for (const { tag, script, output } of commands) {
      if (tag === 'new-database') client = await newDatabase();
      if (tag === 'after-rows') {
        await client.query(
          "insert into public.users (email) select n || case when n <= 1204 then '@example.org' else '@example.com' end from generate_series(1, 2408) n",
        );
      }

      const end = await shell(script);

      expect({ script, exitCode: end.exitCode }).toEqual({ script, exitCode: tag === 'fails' ? 1 : 0 });
      const said = lines(end.output);
      expect(lines(output).filter((line) => !said.includes(line))).toEqual([]);
    }
  }, 180_000);

  test('its numbers: they are those of the code', () => {
    const seconds = (ms: number) => ms / 1_000;
    const grouped = (number: number) => number.toLocaleString('en-US');
    const { LOCK_TIMEOUT_MS, LOCK_ATTEMPTS } = migrateSettings;

    for (const words of [
      `the lock timeout (${seconds(LOCK_TIMEOUT_MS.fallback ?? 0)} s)`,
      `a pause of ${seconds(LOCK_PAUSE.firstMs)} to ${seconds(LOCK_PAUSE.longestMs)} s`,
      `tried again, ${LOCK_ATTEMPTS.fallback} times in all`,
      `1 s to ${grouped(LONGEST_TIMEOUT_SECONDS)} s`,
      `${BATCH_ROWS.from} to ${grouped(BATCH_ROWS.to)}; the column`,
      `for ${seconds(LONGEST_COUNT_MS)} s per table`,
      `a transaction is open for ${OLD_TRANSACTION_SECONDS} s or longer`,
      `a replica lags by more than ${MOST_LAG_SECONDS} s`,
      `a lock which stops others lasts longer than ${LONGEST_LOCK_SECONDS} s`,
      `no verified backup is younger than ${MOST_BACKUP_HOURS} h`,
      `every second on a terminal, every ${seconds(LOOK_EVERY_MS.elsewhere)} s elsewhere`,
    ])
      expect(page).toContain(words);
    expect(LOOK_EVERY_MS.onTerminal).toBe(1_000);
  });
});
