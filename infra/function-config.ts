// The settings that the sections of several jobs share: time, memory, limits of a session.
import type { databaseSettings } from '../functions/shared/environment.ts';
import { variable, wholeNumber } from './config-fields.ts';

/** What every function has; `timeoutSeconds` is at least 60 because a job stops itself 30 s before its limit. */
export function functionSettings(defaults: { timeoutSeconds: number; memoryMiB: number }) {
  return {
    timeoutSeconds: wholeNumber(60, 900, 'seconds')
      .default(defaults.timeoutSeconds)
      .describe('Time limit of a run; the job stops itself 30 s before it.'),
    memoryMiB: wholeNumber(128, 10_240, 'MiB')
      .default(defaults.memoryMiB)
      .describe('Memory of the function; its share of processors grows with it.'),
  };
}

const reservedConcurrency = wholeNumber(1, 10, 'runs')
  .optional()
  .describe(
    'Runs at the same time; leave it out in an account whose limit is low: reserving takes it from all others.',
  );

/** What every function has that works alone. The steps of a workflow run beside each other, so they are not limited. */
export function loneFunctionSettings(defaults: { timeoutSeconds: number; memoryMiB: number }) {
  return { ...functionSettings(defaults), reservedConcurrency };
}

type SessionSettings = Pick<typeof databaseSettings, 'LOCK_TIMEOUT_MS' | 'STATEMENT_TIMEOUT_MS'>;

/** What every function with a database session has; unset timeouts are the function's own defaults. */
export function sessionSettings(settings: SessionSettings) {
  return {
    lockTimeoutMs: variable(settings.LOCK_TIMEOUT_MS).optional().describe(settings.LOCK_TIMEOUT_MS.summary),
    statementTimeoutMs: variable(settings.STATEMENT_TIMEOUT_MS)
      .optional()
      .describe(settings.STATEMENT_TIMEOUT_MS.summary),
  };
}
