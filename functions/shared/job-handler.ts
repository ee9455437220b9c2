// The frame of every Lambda handler: settings, event, log, metrics, deadline, exactly one end line, rethrow.
import type { Context } from 'aws-lambda';
import type { z } from 'zod';
import { type Clock, systemClock } from './clock.ts';
import { describeError, JobFailure } from './job-failure.ts';
import type { JobName } from './jobs.ts';
import { parseEvent } from './job-event.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { readEnvironment, type Settings, type SettingValues } from './read-environment.ts';

/** Time a job keeps to abort uploads and close sessions before Lambda freezes it. */
export const STOP_BEFORE_DEADLINE_MS = 30_000;

/** What every job gets besides its event and settings. */
export interface JobContext {
  runId: string;
  log: Log;
  metrics: Metrics;
  clock: Clock;
  /** Aborted 30 s before the function's deadline, with a `job.out_of_time` failure as its reason. */
  signal: AbortSignal;
}

interface JobDefinition<S extends Settings, E extends z.ZodType, Result extends object> {
  job: JobName;
  settings: S;
  event: E;
  /** Opens what the job needs, runs it and closes it again; returns the result that is logged and answered. */
  run(job: JobContext & { event: z.output<E>; settings: SettingValues<S> }): Promise<Result>;
}

/**
 * A Lambda handler for a job.
 *
 * Logs `<job>.started`, then exactly one of `<job>.finished` (its fields equal the answer) and `<job>.failed`.
 * Every failure is rethrown, so that Lambda's error metric counts it.
 */
export function jobHandler<
  S extends Settings & { DATABASE_NAME: Settings[string] },
  E extends z.ZodType<{ dryRun?: boolean | undefined }>,
  Result extends object,
>(definition: JobDefinition<S, E, Result>) {
  return async (event: unknown, context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>): Promise<Result> => {
    const clock = systemClock;
    const startedMs = clock.monotonicMs();
    const { job } = definition;
    const runId = context.awsRequestId;
    let log = createLog({ job, database: 'unknown', runId });
    const deadline = startDeadline(job, context.getRemainingTimeInMillis());
    try {
      const settings = readEnvironment(job, definition.settings);
      const database = String(Reflect.get(settings, 'DATABASE_NAME'));
      log = createLog({ job, database, runId });
      const metrics = createMetrics({ job, database });
      const parsed = parseEvent(job, definition.event, event);
      log.info(`${job}.started`, { dry_run: parsed.dryRun ?? false });

      const result = await definition.run({ event: parsed, settings, runId, log, metrics, clock, signal: deadline.signal });

      const durationMs = Math.round(clock.monotonicMs() - startedMs);
      if (!parsed.dryRun) metrics.put('JobFinished', 1);
      metrics.put('JobDurationSeconds', durationMs / 1000);
      metrics.flush();
      log.info(`${job}.finished`, { duration_ms: durationMs, ...result });
      return result;
    } catch (error) {
      const durationMs = Math.round(clock.monotonicMs() - startedMs);
      const known = error instanceof JobFailure ? { code: error.code, hint: error.hint } : { code: 'unexpected' };
      log.error(`${job}.failed`, { duration_ms: durationMs, ...known, problem: describeError(error) });
      throw error;
    } finally {
      deadline.stop();
    }
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
