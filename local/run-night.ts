// `npm start`: one whole night on this machine, from the synthesized template. Exit codes: 0 ok, 1 a job failed, 2 bad input.
import { randomBytes } from 'node:crypto';
import { copyFileSync, createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Listr, type ListrTask, PRESET_TIMER } from 'listr2';
import { backupKeys } from '../functions/shared/backup-layout.ts';
import { compactInstant } from '../functions/shared/clock.ts';
import { checkDatabase } from './night/check-database.ts';
import { loadSampleData } from './night/load-sample-data.ts';
import { type NightStep, nightSteps, preparingSteps } from './night/night-steps.ts';
import { createNightWorkflow, type NightWorkflow } from './night/night-workflow.ts';
import { makeNightFolder, type NightWorld, openNightWorld } from './night/night-world.ts';
import { HELP, type NightOptions, parseArguments } from './night/parse-arguments.ts';
import { isPassJob, runPassWorkflow } from './night/pass-workflow.ts';
import { prepareDrillCluster } from './night/prepare-drill-cluster.ts';
import { summaryTable } from './night/print-summary.ts';
import { runStep, type StepOutcome, type StepWatch } from './night/run-steps.ts';
import { runCommand } from './run-command.ts';

await runCommand(
  async (signal) => {
    const options = parseArguments(process.argv.slice(2), process.env);
    if (options === 'help') {
      console.log(HELP);
      return 0;
    }
    return await runNight(options, signal);
  },
  { stopped: 'the throw-away cluster and its folders are gone', exitCodeOf: () => 2 },
);

async function runNight(options: NightOptions, signal: AbortSignal): Promise<number> {
  if (options.database) {
    const { version } = await checkDatabase(options.database, options.drillHere);
    console.log(`Database "${options.database.dbname}" on PostgreSQL ${version}, ${options.database.tlsSentence}`);
  }
  const startedAt = new Date();
  // Two nights may begin in the same second.
  const nightId = `${compactInstant(startedAt)}-${randomBytes(2).toString('hex')}`;
  const folder = makeNightFolder(nightId, options.keep);
  const log = createWriteStream(join(folder.path, 'night.log'));
  const outcomes: StepOutcome[] = [];
  let world: NightWorld | undefined;
  try {
    const steps = [...preparingSteps(options), ...nightSteps(options, startedAt.toISOString())];
    await new Listr(
      [
        {
          title: 'start PostgreSQL, S3 and Secrets Manager; synthesize the stack',
          task: async (_, task) => {
            world = await openNightWorld({
              options,
              folder: folder.path,
              signal,
              onReady: (words) => (task.output = words),
            });
          },
        },
        ...withSampleData(options, steps, () => world, outcomes, { onLine: (line) => log.write(`${line}\n`), signal }),
      ],
      {
        concurrent: false,
        exitOnError: true,
        // Its own handler would end the process at once, before anything is cleaned up.
        registerSignalListeners: false,
        rendererOptions: { timer: PRESET_TIMER },
        fallbackRendererOptions: { timer: PRESET_TIMER },
      },
    ).run();
    if (!world) throw new Error('the night has no world');
    signal.throwIfAborted();
    console.log(`\n${summaryTable(outcomes, process.stdout.isTTY)}`);
    printWhatIsLeft(options, world, outcomes, nightId);
    return outcomes.every(({ outcome }) => outcome === 'ok') ? 0 : 1;
  } finally {
    await new Promise((closed) => log.end(closed));
    await world?.close();
    await folder.close();
  }
}

type TaskWatch = Pick<StepWatch, 'onLine' | 'signal'>;

/** The tasks of the steps, with the sample data after the migrations. A failed step is shown and the night goes on. */
function withSampleData(
  options: NightOptions,
  steps: readonly NightStep[],
  world: () => NightWorld | undefined,
  outcomes: StepOutcome[],
  { onLine, signal }: TaskWatch,
): ListrTask[] {
  const workflow = createNightWorkflow();
  const tasks = steps.map((step) => stepTask(options, step, { world, workflow }, outcomes, { onLine, signal }));
  if (options.database) return tasks;
  const sample: ListrTask = {
    title: `sample data: ${options.users.toLocaleString('en-US')} users with audit rows`,
    skip: () => mustNotGoOn(outcomes, signal),
    task: async () => {
      const cluster = world()?.cluster;
      if (cluster) await loadSampleData(cluster, options.users, signal);
    },
  };
  return tasks.toSpliced(preparingSteps(options).length, 0, sample);
}

function stepTask(
  options: NightOptions,
  step: NightStep,
  { world, workflow }: { world: () => NightWorld | undefined; workflow: NightWorkflow },
  outcomes: StepOutcome[],
  { onLine, signal }: TaskWatch,
): ListrTask {
  return {
    title: step.title,
    exitOnError: false,
    task: async (_, task) => {
      const current = world();
      if (!current || mustNotGoOn(outcomes, signal)) {
        outcomes.push({
          title: step.title,
          job: step.job,
          outcome: 'not run',
          durationMs: 0,
          figures: 'a step before it failed',
          answer: {},
        });
        task.skip('a step before it failed');
        return;
      }
      const backupId = outcomes.find(({ job }) => job === 'backup')?.answer['backupId'];
      if (step.job === 'restore-drill' && options.database && typeof backupId === 'string') {
        await prepareDrillCluster(current, databaseName(current), backupId);
      }
      const onProgress = (words: string) => {
        task.output = words;
      };
      const watch = { onProgress, onLine, signal };
      const outcome = await (step.by === 'function'
        ? runStep(current, step, watch)
        : isPassJob(step.job)
          ? runPassWorkflow(current, step.job, step, watch)
          : workflow.run(current, step, watch));
      outcomes.push({ ...outcome });
      if (outcome.outcome === 'failed') throw new Error(outcome.figures);
      if (outcome.outcome === 'not run') {
        task.skip(outcome.figures);
        return;
      }
      task.title = `${step.title}: ${outcome.figures}`;
    },
  };
}

/** After Ctrl-C, or when a step has failed that all others need. */
function mustNotGoOn(outcomes: readonly StepOutcome[], signal: AbortSignal): boolean {
  return (
    signal.aborted ||
    outcomes.some(({ job, outcome }) => outcome === 'failed' && (job === 'bootstrap' || job === 'migrate'))
  );
}

function databaseName(world: NightWorld): string {
  return world.stack.functions.backup.environment['DATABASE_NAME'] ?? '';
}

function printWhatIsLeft(
  options: NightOptions,
  world: NightWorld,
  outcomes: readonly StepOutcome[],
  nightId: string,
): void {
  const reportKey = outcomes.find(({ job }) => job === 'report')?.answer['key'];
  if (typeof reportKey === 'string') {
    const kept = resolve('.nightshift', nightId, 'report.html');
    mkdirSync(dirname(kept), { recursive: true });
    copyFileSync(join(world.bucketFolder, reportKey), kept);
    console.log(`\nReport: ${relative('.', kept)}`);
  }
  const backupId = outcomes.find(({ job }) => job === 'backup')?.answer['backupId'];
  if (options.keep && typeof backupId === 'string') {
    const { archive, globals } = backupKeys(databaseName(world), backupId);
    const path = (key: string) => relative('.', join(world.bucketFolder, key));
    console.log(`Everything of this night: ${relative('.', dirname(dirname(world.bucketFolder)))}`);
    console.log('Restore it by hand, on a server of your own (roles first; they come without passwords):');
    console.log(`  psql -d postgres -f ${path(globals)}`);
    console.log('  createdb restored');
    console.log(`  pg_restore --no-owner --no-privileges --exit-on-error -d restored ${path(archive)}`);
  }
}
