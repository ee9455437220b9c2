// One backup by the synthesized state machine with a number of copy steps at the same time, measured as a whole.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Invoked } from '../../local/lambda/invoke-function.ts';
import { invokeFunction } from '../../local/lambda/invoke-function.ts';
import { runWorkflow, type WorkflowTask } from '../../local/workflow/run-workflow.ts';
import { readTime, treeSeconds } from '../measure/process-figures.ts';
import { startStore } from '../stores/start-store.ts';
import type { ScalingWorld } from './scaling-world.ts';

export interface ScalingRun {
  workers: number;
  round: number;
  groups: number;
  /** From the start of the execution to the answer of finish. */
  wallSeconds: number;
  planSeconds: number;
  copySeconds: number;
  finishSeconds: number;
  /** Processor seconds of the functions, of PostgreSQL, of the S3 and of the proxy, in that time. */
  cpuSeconds: { functions: number; server: number; store: number; proxy: number };
  archiveBytes: number;
}

interface RunRequest {
  world: ScalingWorld;
  workers: number;
  round: number;
  /** The plan is made for as many, so that it is the same for every number of workers. */
  plannedWorkers: number;
  /** Of the whole benchmark: makes the scheduled time. */
  number: number;
  signal: AbortSignal;
}

/** The S3 is fresh and forgets archives; throws when the backup fails or has not every row. */
export async function runScaling(request: RunRequest): Promise<ScalingRun> {
  const { world, workers, round, plannedWorkers, number, signal } = request;
  const s3 = await startStore({ kind: 'discard', latencyMs: 0 });
  try {
    const environment = {
      ...world.backupEnvironment(s3.endpoint),
      COPY_STEPS: String(plannedWorkers),
      // Without the few rows that bootstrap has made.
      INCLUDE_TABLES: '["public.wide"]',
    };
    const cpu = () => ({
      functions: readTime('self')?.reapedSeconds ?? 0,
      server: treeSeconds(world.cluster.processId),
      store: treeSeconds(s3.processId),
      proxy: treeSeconds(world.proxyProcessId),
    });
    const before = cpu();
    const startedMs = performance.now();
    const seconds = () => (performance.now() - startedMs) / 1_000;
    let planned = 0;
    let groups = 0;
    let finishStarted = 0;
    let finished: { at: number; cpu: typeof before; result: Record<string, unknown> } | undefined;
    const failures: string[] = [];

    const invoke = async ({ state, job, event }: WorkflowTask): Promise<Invoked> => {
      // What is measured ends with the backup, and this S3 could not give the archive back.
      if (job === 'verify')
        return answer({
          mode: 'verified',
          backupId: event['backupId'],
          verificationId: 'none',
          groups: [],
          concurrency: 1,
        });
      if (state === 'Finish') finishStarted = seconds();
      const invoked = await invokeFunction(world.stack.functions.backup, environment, event, { signal });
      const { outcome } = invoked;
      if (!outcome.ok) {
        failures.push(`${state}: ${outcome.message}`);
        return invoked;
      }
      if (state === 'Finish') finished = { at: seconds(), cpu: cpu(), result: outcome.result };
      if (state !== 'Plan') return invoked;
      planned = seconds();
      groups = Array.isArray(outcome.result['groups']) ? outcome.result['groups'].length : 0;
      return { ...invoked, outcome: { ok: true, result: { ...outcome.result, concurrency: workers } } };
    };

    const scheduledTime = new Date(Date.UTC(2027, 0, 1) + number * 60_000).toISOString();
    const { outcome } = await runWorkflow(
      world.stack.workflows.backup,
      { job: 'backup', scheduledTime },
      { invoke, signal },
    );
    signal.throwIfAborted();
    if (!outcome.ok || finished === undefined || failures.length > 0) {
      throw new Error(`the backup with ${workers} workers failed: ${failures.join('; ') || JSON.stringify(outcome)}`);
    }
    const { result, at, cpu: after } = finished;
    if (result['rows'] !== world.table.rows) {
      throw new Error(`the backup has ${String(result['rows'])} rows, the server ${world.table.rows}`);
    }
    return {
      workers,
      round,
      groups,
      wallSeconds: at,
      planSeconds: planned,
      copySeconds: finishStarted - planned,
      finishSeconds: at - finishStarted,
      cpuSeconds: {
        functions: after.functions - before.functions,
        server: after.server - before.server,
        store: after.store - before.store,
        proxy: after.proxy - before.proxy,
      },
      archiveBytes: Number(result['bytes']),
    };
  } finally {
    await s3.stop();
    // The server ends its sessions a moment after their clients.
    await sleep(500);
  }
}

function answer(result: Record<string, unknown>): Invoked {
  return { requestId: 'none', durationMs: 0, outcome: { ok: true, result } };
}
