// The deployed workflow of migrate with the real function, bundled as deployed, against a real PostgreSQL; and the function that
// a deployment invokes.
import { randomUUID } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { handler as atDeploy } from '../../functions/migrate/at-deploy-handler.ts';
import { invokeFunction } from '../../local/lambda/invoke-function.ts';
import { preparingSteps } from '../../local/night/night-steps.ts';
import {
  connectAsSuperuser,
  makeNightFolder,
  type NightFolder,
  type NightWorld,
  openNightWorld,
  SAMPLE_DBNAME,
} from '../../local/night/night-world.ts';
import { parseArguments } from '../../local/night/parse-arguments.ts';
import { runStep } from '../../local/night/run-steps.ts';
import { runWorkflow, type WorkflowTask } from '../../local/workflow/run-workflow.ts';

const LONG_MS = 120_000;
/** A function leaves a long statement to the server a minute before its limit, so this one after 3 s. */
const LEAVES_AFTER_3_S = 63_000;
const { signal } = new AbortController();
const requestedBy = 'test';

let folder: NightFolder;
let world: NightWorld;
let client: Client;
/** Its transaction is what CREATE and DROP INDEX CONCURRENTLY have to wait for. */
let old: Client;
let isOldOpen = false;

beforeAll(async () => {
  const options = parseArguments([], {});
  if (options === 'help') throw new Error('these are no options of a night');
  folder = makeNightFolder('workflow-migrate-test', false);
  world = await openNightWorld({ options, folder: folder.path, signal, onReady: () => {} });
  const { cluster } = world;
  if (!cluster) throw new Error('there is no cluster');
  const [bootstrap] = preparingSteps(options);
  if (bootstrap?.job !== 'bootstrap') throw new Error('bootstrap is not the first step');
  const { outcome, figures } = await runStep(world, bootstrap, { onProgress: () => {}, onLine: () => {}, signal });
  if (outcome !== 'ok') throw new Error(figures);
  client = await connectAsSuperuser(cluster, SAMPLE_DBNAME);
  old = await connectAsSuperuser(cluster, SAMPLE_DBNAME);
}, LONG_MS);

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

afterAll(async () => {
  await client?.end();
  await old?.end();
  await world?.close();
  await folder?.close();
});

/** Puts a pair of files beside the bundle, as a deployment would. */
function addFiles(name: string, up: string, down: string): void {
  const migrations = join(world.stack.functions.migrate.folder, 'sql/migrations');
  writeFileSync(join(migrations, `${name}.up.sql`), up);
  writeFileSync(join(migrations, `${name}.down.sql`), down);
}

async function beginOld(): Promise<void> {
  await old.query('begin isolation level repeatable read');
  await old.query('select count(*) from app_schema.users');
  isOldOpen = true;
}

/** Ends it once the server has the statement that waits for it, which a pass on a busy machine may not have come to. */
async function endOldWhenAwaited(): Promise<void> {
  const { rowCount } = await client.query('select from nightshift.migration_long_step');
  if (rowCount === 0) return;
  await old.query('rollback');
  isOldOpen = false;
}

/** Runs the workflow; `after` is waited for after each pass, `lose` says whether the answer of this pass gets lost. */
async function run(
  input: object,
  { after, lose }: { after?: (answer: unknown) => Promise<unknown>; lose?: (answer: unknown) => boolean } = {},
) {
  const tasks: (WorkflowTask & { answer: unknown })[] = [];
  const { outcome } = await runWorkflow(
    world.stack.workflows.migrate,
    { requestedBy, ...input },
    {
      signal,
      pauseMs: 100,
      invoke: async (task) => {
        const deployed = { ...world.stack.functions[task.job], ...(isOldOpen ? { timeoutMs: LEAVES_AFTER_3_S } : {}) };
        const invoked = await invokeFunction(deployed, world.environmentOf(task.job), task.event);
        const answer = invoked.outcome.ok ? invoked.outcome.result['status'] : invoked.outcome.code;
        tasks.push({ ...task, answer });
        await after?.(answer);
        if (lose?.(answer) !== true) return invoked;
        return { ...invoked, outcome: { ok: false, code: 'x', errorType: 'Runtime.ExitError', message: 'lost' } };
      },
    },
  );
  return { outcome, tasks, answers: tasks.map(({ answer }) => answer) };
}

const history = async () =>
  (
    await client.query(
      "select number, state, requested_by from nightshift.migration where kind = 'application' order by number",
    )
  ).rows;

describe('the function that a deployment invokes', () => {
  const invoke = async (event: unknown) => {
    for (const [name, value] of Object.entries(world.environmentOf('migrate'))) vi.stubEnv(name, value);
    vi.stubEnv('STACK_NAME', 'Nightshift-sample');
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    return await atDeploy(event, { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => 120_000 });
  };

  test('it is asked for something else: it is refused, and nothing is applied', { timeout: LONG_MS }, async () => {
    await expect(invoke({ job: 'migrate', action: 'down', requestedBy })).rejects.toMatchObject({
      code: 'event.wrong',
    });

    expect(await history()).toEqual([]);
  });

  test('a trigger invokes it, without a payload: it applies what is pending in the name of the stack; once more: nothing', {
    timeout: LONG_MS,
  }, async () => {
    const [first, second] = [await invoke({}), await invoke(null)];

    expect(first).toMatchObject({ action: 'up', status: 'done', current: 1, done: [{ number: 1 }] });
    expect(second).toMatchObject({ status: 'done', current: 1, done: [] });
    expect(await history()).toEqual([{ number: 1, state: 'applied', requested_by: 'deploy of Nightshift-sample' }]);
  });
});

describe('the workflow of migrate', () => {
  test('an index that an old transaction keeps waiting: passes answer running until it ends, then the file is done', {
    timeout: LONG_MS,
  }, async () => {
    addFiles(
      '0002_index',
      'create index concurrently users_created on app_schema.users (created_at);\ncomment on index app_schema.users_created is $$made$$;',
      'drop index concurrently app_schema.users_created;',
    );
    await beginOld();
    let passes = 0;

    const { outcome, answers, tasks } = await run(
      { action: 'up' },
      { after: async () => ((passes += 1) >= 2 && isOldOpen ? await endOldWhenAwaited() : undefined) },
    );

    expect(answers.slice(0, 2)).toEqual(['running', 'running']);
    expect(answers.at(-1)).toBe('done');
    expect(new Set(tasks.map(({ event }) => JSON.stringify(event))).size).toBe(1);
    expect(outcome).toEqual({ ok: true, output: { status: 'done', current: 2, halfDone: null, running: null } });
    const { rows } = await client.query(
      "select indisvalid, obj_description(indexrelid) as comment from pg_index where indexrelid = 'app_schema.users_created'::regclass",
    );
    expect(rows).toEqual([{ indisvalid: true, comment: 'made' }]);
  });

  test('down without a target is left running, and its last answer gets lost: one file is reverted and no second one', {
    timeout: LONG_MS,
  }, async () => {
    await beginOld();
    let isLost = false;

    const { outcome, answers, tasks } = await run(
      { action: 'down', confirmLoss: true },
      {
        after: async (answer) => (answer === 'running' && isOldOpen ? await endOldWhenAwaited() : undefined),
        lose: (answer) => {
          const loses = answer === 'done' && !isLost;
          isLost ||= loses;
          return loses;
        },
      },
    );

    expect(tasks.map(({ state }) => state).slice(0, 2)).toEqual(['AskTarget', 'Run']);
    expect(answers).toContain('running');
    expect(answers.slice(-2)).toEqual(['done', 'done']);
    expect(isLost).toBe(true);
    expect(outcome).toMatchObject({ ok: true, output: { status: 'done', current: 1 } });
    expect((await history()).map(({ number }) => number)).toEqual([1]);
  });

  test('a statement that fails: it is run once, the execution fails, and the run record has the reason', {
    timeout: LONG_MS,
  }, async () => {
    addFiles('0003_broken', 'create table app_schema.more (id int);\nselect 1 / 0;', 'drop table app_schema.more;');

    const { outcome, answers } = await run({ action: 'up' });

    expect(answers).toEqual(['migrate.statement_failed']);
    expect(outcome).toEqual({ ok: false, error: 'MigrateFailed', cause: expect.stringContaining('migrate.failed') });
    expect((await history()).map(({ number, state }) => [number, state])).toEqual([
      [1, 'applied'],
      [2, 'applied'],
    ]);
    const records = globSync('sample/runs/migrate/**/*.json', { cwd: world.bucketFolder }).map((path) =>
      readFileSync(join(world.bucketFolder, path), 'utf8'),
    );
    expect(records.filter((record) => record.includes('migrate.statement_failed'))).toEqual([
      expect.stringContaining('division by zero'),
    ]);
  });
});
