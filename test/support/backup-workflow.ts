// The deployed workflow of the backup with its real functions, bundled as deployed, against a server and an S3 of its own.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Client, QueryResultRow } from 'pg';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type BackupManifest, parseManifest } from '../../functions/shared/backup-manifest.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { invokeFunction } from '../../local/lambda/invoke-function.ts';
import { preparingSteps } from '../../local/night/night-steps.ts';
import { connectAsSuperuser, makeNightFolder, openNightWorld, SAMPLE_DBNAME } from '../../local/night/night-world.ts';
import { parseArguments } from '../../local/night/parse-arguments.ts';
import { runStep } from '../../local/night/run-steps.ts';
import type { DeployedWorkflow } from '../../local/workflow/read-workflow.ts';
import { runWorkflow, type WorkflowRun, type WorkflowTask } from '../../local/workflow/run-workflow.ts';

/** The first part of every key. */
const DATABASE = 'sample';
/** Long enough to be at work, too short to end. */
const KILLED_AFTER_MS = 300;

interface BackUpOptions {
  /** Settings of the backup function in place of those of the template. */
  settings?: Record<string, string>;
  /** Whether a task is killed with -9 soon after its start; `count` is how often this state was started for its group. */
  kill?: (task: WorkflowTask, count: number) => boolean;
  /** Waited for before a task is started. */
  before?: (task: WorkflowTask) => Promise<unknown>;
  workflow?: DeployedWorkflow;
  /** In place of each pause before a retry and of each Wait. */
  pauseMs?: number;
}

export interface WorkflowBackup extends WorkflowRun {
  tasks: readonly WorkflowTask[];
  states: readonly string[];
  /** `<state>: <code> <message>` of each function that failed. */
  failures: readonly string[];
}

export interface BackupWorkflow {
  /** Runs SQL as superuser in the sample database, one statement after the other. */
  query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Runs the workflow once for a scheduled time. */
  backUp(scheduledTime: string, options?: BackUpOptions): Promise<WorkflowBackup>;
  manifest(backupId: string): BackupManifest | undefined;
  /** The file of an object in the bucket; the key without the name of the database. */
  pathOf(key: string): string;
  /** `table` → `<rows> <digest>` of a schema in the sample database, or in a stock pg_restore of a backup of it. */
  contents(schema: string, backupId?: string): Promise<Record<string, string>>;
  /** Keys of the uploads of a backup that are neither completed nor aborted. */
  uploads(backupId: string): Promise<string[]>;
  /** Sessions of the backup that are still on the server, once those that are ending have had 5 s. */
  sessionsLeft(backupId: string): Promise<number>;
  close(): Promise<void>;
}

/** Starts everything, with the tables of the sample made and no row in them. */
export async function openBackupWorkflow(): Promise<BackupWorkflow> {
  const { signal } = new AbortController();
  const options = parseArguments(['--distributed'], {});
  if (options === 'help') throw new Error('these are no options of a night');
  const folder = makeNightFolder('workflow-test', false);
  const world = await openNightWorld({ options, folder: folder.path, signal, onReady: () => {} });
  const { cluster } = world;
  if (!cluster) throw new Error('there is no cluster');
  for (const step of preparingSteps(options)) {
    const { outcome, figures } = await runStep(world, step, { onProgress: () => {}, onLine: () => {}, signal });
    if (outcome !== 'ok') throw new Error(figures);
  }
  const client = await connectAsSuperuser(cluster, SAMPLE_DBNAME);
  const query = inTurn(client);
  const { BACKUP_BUCKET = '', ...ofBackup } = world.environmentOf('backup');
  for (const [name, value] of Object.entries(ofBackup)) if (name.startsWith('AWS_')) process.env[name] = value;
  const store = createObjectStore(BACKUP_BUCKET);
  const pathOf = (key: string) => join(world.bucketFolder, DATABASE, key);
  const relative = (key: string) => key.slice(DATABASE.length + 1);

  const restore = async (backupId: string): Promise<string> => {
    const name = `restored_${backupId.toLowerCase().replaceAll('-', '_')}`;
    await query(`create database ${quoteIdentifier(name)}`);
    const { user, password } = cluster.superuser;
    const env = {
      PGHOST: cluster.host,
      PGPORT: String(cluster.port),
      PGUSER: user,
      PGPASSWORD: password,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: cluster.caFile,
    };
    const archive = pathOf(relative(backupKeys(DATABASE, backupId).archive));
    const args = ['-j2', '--no-owner', '--no-privileges', '--exit-on-error', '-d', name, archive];
    // Not the blocking form: the S3 of the backups that run beside this one is in this process.
    await promisify(execFile)(join(cluster.binaries.directory, 'pg_restore'), args, { env });
    return name;
  };

  return {
    query,
    pathOf,
    backUp: async (scheduledTime, { settings = {}, kill, before, workflow, pauseMs = 50 } = {}) => {
      const tasks: WorkflowTask[] = [];
      const failures: string[] = [];
      const run = await runWorkflow(
        workflow ?? world.stack.workflows.backup,
        { job: 'backup', scheduledTime },
        {
          signal,
          pauseMs,
          invoke: async (task) => {
            await before?.(task);
            tasks.push(task);
            const { state, job, event } = task;
            const count = tasks.filter((one) => one.state === state && one.event['group'] === event['group']).length;
            const environment = { ...world.environmentOf(job), ...(job === 'backup' ? settings : {}) };
            const killed = kill?.(task, count) ? { signal: AbortSignal.timeout(KILLED_AFTER_MS) } : {};
            const invoked = await invokeFunction(world.stack.functions[job], environment, event, killed);
            const { outcome } = invoked;
            if (!outcome.ok) failures.push(`${state}: ${outcome.code} ${outcome.message}`);
            return invoked;
          },
        },
      );
      return { ...run, tasks, failures, states: tasks.map(({ state }) => state) };
    },
    manifest: (backupId) => {
      const { manifest } = backupKeys(DATABASE, backupId);
      const path = pathOf(relative(manifest));
      return existsSync(path) ? parseManifest(manifest, readFileSync(path, 'utf8')) : undefined;
    },
    contents: async (schema, backupId) => {
      if (backupId === undefined) return await contentsOf(query, schema);
      const name = await restore(backupId);
      const restored = await connectAsSuperuser(cluster, name);
      try {
        return await contentsOf(inTurn(restored), schema);
      } finally {
        await restored.end();
        await query(`drop database ${quoteIdentifier(name)}`);
      }
    },
    uploads: async (backupId) => {
      const keys: string[] = [];
      for await (const { key } of store.listUploads(backupKeys(DATABASE, backupId).archive)) keys.push(key);
      return keys;
    },
    sessionsLeft: async (backupId) => {
      for (let waited = 0; ; waited += 1) {
        const rows = await query<{ left: number }>(
          "select count(*)::int as left from pg_stat_activity where application_name ~ ('^nightshift/(backup|holder) ' || $1)",
          [backupId],
        );
        const left = rows[0]?.left ?? -1;
        if (left === 0 || waited === 50) return left;
        await sleep(100);
      }
    },
    close: async () => {
      await client.end();
      await world.close();
      await folder.close();
    },
  };
}

/** Tests that run at the same time share the session, which takes one statement at a time. */
function inTurn(client: Client): BackupWorkflow['query'] {
  let last: Promise<unknown> = Promise.resolve();
  return async <Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []) => {
    const result = last.then(async () => await client.query<Row>(sql, [...values]));
    last = result.catch(() => {
      // Whoever has asked is told; the next one is not concerned.
    });
    return (await result).rows;
  };
}

async function contentsOf(query: BackupWorkflow['query'], schema: string): Promise<Record<string, string>> {
  const tables = await query<{ name: string }>(
    'select tablename as name from pg_tables where schemaname = $1 order by 1',
    [schema],
  );
  const contents: Record<string, string> = {};
  for (const { name } of tables) {
    const [found] = await query<{ rows: string; digest: string | null }>(
      `select count(*) as rows, sum(hashtextextended(t::text, 0)) as digest from ${quoteIdentifier(schema)}.${quoteIdentifier(name)} t`,
    );
    contents[name] = `${found?.rows} ${found?.digest}`;
  }
  return contents;
}
