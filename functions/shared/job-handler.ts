// The frame of every Lambda handler: settings, event, log, metrics, deadline, exactly one end line, rethrow.
import type { Context } from 'aws-lambda';
import type { z } from 'zod';
import { type Clock, systemClock } from './clock.ts';
import { parseEvent } from './job-event.ts';
import { describeError, JobFailure } from './job-failure.ts';
import type { JobName } from './jobs.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createObjectStore, type ObjectStore } from './object-store.ts';
import { readEnvironment, type Setting, type Settings, type SettingValues } from './read-environment.ts';
import { type RunRecord, storeRunRecord } from './run-record.ts';

/** Time a job keeps to abort uploads and close sessions before Lambda freezes it. */
export const STOP_BEFORE_DEADLINE_MS = 30_000;

/** What every job gets besides its event and settings. */
export interface JobContext {
  runId: string;
  log: Log;
  metrics: Metrics;
  clock: Clock;
  /** The bucket of the backups and run records. */
  store: ObjectStore;
  /** How long this run may take at the most, from its start. */
  timeLimitMs: number;
  /** Aborted 30 s before the function's deadline, with a `job.out_of_time` failure as its reason. */
  signal: AbortSignal;
}

interface JobDefinition<S extends Settings, E extends z.ZodType, Result extends object> {
  job: JobName;
  settings: S;
  event: E;
  /** Opens what the job needs, runs it and closes it again; returns the result that is logged, recorded and answered. */
  run(job: JobContext & { event: z.output<E>; settings: SettingValues<S> }): Promise<Result>;
  /** False for runs that are too frequent for a record of their own (the minute tier of health). */
  recorded?(event: z.output<E>): boolean;
  /** True for a run that is one step of a longer one: its good end is not the job's, and leaves no record. */
  isStep?(event: z.output<E>): boolean;
}

type StoreSettings = Settings & { DATABASE_NAME: Setting<string>; BACKUP_BUCKET: Setting<string> };

/**
 * A Lambda handler for a job.
 *
 * Logs `<job>.started`, then exactly one of `<job>.finished` (its fields equal the answer) and `<job>.failed`, and
 * leaves a run record of either. Every failure is rethrown, so that Lambda's error metric counts it.
 */
export function jobHandler<
  S extends StoreSettings,
  E extends z.ZodType<{ dryRun?: boolean | undefined }>,
  Result extends object,
>(definition: JobDefinition<S, E, Result>) {
  const { job } = definition;
  const clock = systemClock;
  return async (
    event: unknown,
    lambda: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
  ): Promise<Result> => {
    const startedAt = clock.now();
    const startedMs = clock.monotonicMs();
    const runId = lambda.awsRequestId;
    const timeLimitMs = lambda.getRemainingTimeInMillis();
    const deadline = startDeadline(job, timeLimitMs);
    const durationMs = () => Math.round(clock.monotonicMs() - startedMs);
    let log = createLog({ job, database: 'unknown', runId });
    let record: ((end: Pick<RunRecord, 'outcome' | 'dryRun' | 'result' | 'failure'>) => Promise<unknown>) | undefined;
    let dryRun = false;
    let isStep = false;
    try {
      const settings = readEnvironment(job, definition.settings);
      const { database, bucket } = placeOf(settings);
      log = createLog({ job, database, runId });
      const metrics = createMetrics({ job, database });
      const store = createObjectStore(bucket);
      const parsed = parseEvent(job, definition.event, event);
      dryRun = parsed.dryRun ?? false;
      isStep = definition.isStep?.(parsed) ?? false;
      if (!isStep && (definition.recorded?.(parsed) ?? true)) {
        record = async (end) =>
          await storeRunRecord(store, {
            recordVersion: 1,
            database,
            job,
            runId,
            startedAt: startedAt.toISOString(),
            finishedAt: clock.now().toISOString(),
            durationMs: durationMs(),
            ...end,
          });
      }
      log.info(`${job}.started`, { dry_run: dryRun });

      const context = {
        event: parsed,
        settings,
        runId,
        log,
        metrics,
        clock,
        store,
        timeLimitMs,
        signal: deadline.signal,
      };
      const result = await definition.run(context);

      const write = record;
      record = undefined;
      await write?.({ outcome: 'ok', dryRun, result: Object.fromEntries(Object.entries(result)), failure: null });
      if (!isStep) {
        if (!dryRun) metrics.put('JobFinished', 1);
        metrics.put('JobDurationSeconds', durationMs() / 1000);
      }
      metrics.flush();
      log.info(`${job}.finished`, { duration_ms: durationMs(), ...result });
      return result;
    } catch (error) {
      const failure = failureOf(error);
      log.error(`${job}.failed`, { duration_ms: durationMs(), ...failure });
      // The run has failed already: a record that cannot be written must not hide why.
      await record?.({ outcome: 'failed', dryRun, result: {}, failure }).catch((cause: unknown) => {
        log.error('run_record.not_stored', { problem: describeError(cause) });
      });
      throw error;
    } finally {
      deadline.stop();
    }
  };
}

function placeOf(settings: Readonly<Record<string, unknown>>): { database: string; bucket: string } {
  return { database: String(settings['DATABASE_NAME']), bucket: String(settings['BACKUP_BUCKET']) };
}

function failureOf(error: unknown): { code: string; problem: string; hint: string } {
  if (error instanceof JobFailure)
    return { code: error.code, problem: `${error.problem}. ${error.safeState}`, hint: error.hint };
  return {
    code: 'unexpected',
    problem: describeError(error),
    hint: 'this is a defect: see the stack in the log and report it',
  };
}

function startDeadline(job: string, remainingMs: number): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const timer = setTimeout(
    () => {
      controller.abort(
        new JobFailure({
          code: 'job.out_of_time',
          problem: `${job} stopped itself ${STOP_BEFORE_DEADLINE_MS / 1000} s before the time limit of its function (it had ${Math.round(remainingMs / 1000)} s)`,
          safeState: 'What it had begun was undone; what it had finished is recorded',
          hint: 'raise the timeout in nightshift.config.ts, or look in the log at which step took long',
        }),
      );
    },
    Math.max(0, remainingMs - STOP_BEFORE_DEADLINE_MS),
  );
  timer.unref();
  return { signal: controller.signal, stop: () => clearTimeout(timer) };
}
