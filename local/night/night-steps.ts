// The steps of a night in their order: which function is invoked, or which workflow started, with which event.
import type { JobName } from '../../functions/shared/jobs.ts';
import type { NightOptions } from './parse-arguments.ts';

export interface NightStep {
  /** In the table and the progress. */
  title: string;
  job: JobName;
  event: Record<string, unknown>;
  /** One workflow runs backup and then verify: two steps, of which the first one starts it. The drill and purge have one each. */
  by: 'function' | 'workflow';
  /** When it fails, the steps after it make no sense and are not run. */
  needed: boolean;
}

/** Steps before the sample data is there. On the user's own database they run only when asked for. */
export function preparingSteps(options: NightOptions): NightStep[] {
  if (options.database && !options.withMigrate && !options.withPurge) return [];
  const requestedBy = 'npm start';
  const bootstrap: NightStep = {
    title: 'bootstrap',
    job: 'bootstrap',
    event: { job: 'bootstrap', requestedBy },
    by: 'function',
    needed: true,
  };
  const migrate: NightStep = {
    title: 'migrate',
    job: 'migrate',
    event: { job: 'migrate', action: 'up', requestedBy },
    by: 'function',
    needed: true,
  };
  return options.database && !options.withMigrate ? [bootstrap] : [bootstrap, migrate];
}

/** The night itself, in the order of the sample schedules. */
export function nightSteps(options: NightOptions, scheduledTime: string): NightStep[] {
  const step = (title: string, job: JobName, own: Record<string, unknown> = {}): NightStep => ({
    title,
    job,
    event: { job, scheduledTime, ...own },
    by: 'function',
    needed: false,
  });
  const purges = !options.database || options.withPurge;
  return [
    step('health (minute)', 'health', { tier: 'minute' }),
    { ...step('backup', 'backup'), by: 'workflow' },
    { ...step('verify', 'verify'), by: 'workflow' },
    { ...step('restore-drill', 'restore-drill'), by: 'workflow' },
    // They look at the age of the newest backup and drill, which the night has just made.
    step('health (quarter-hour)', 'health', { tier: 'quarter-hour' }),
    step('health (daily)', 'health', { tier: 'daily' }),
    ...(purges ? [{ ...step('purge', 'purge'), by: 'workflow' as const }] : []),
    step('expire', 'expire'),
    step('report', 'report'),
  ];
}
