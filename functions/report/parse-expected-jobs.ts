// Reads EXPECTED_JOBS: which jobs must have run, and within how many hours. Pure.
import { JobFailure } from '../shared/job-failure.ts';
import { type JobName, jobNames } from '../shared/jobs.ts';

export interface ExpectedJob {
  readonly job: JobName;
  readonly hours: number;
}

/** `backup=26,health=1` as a list; throws `settings.wrong` for a name that is no job, twice the same, or zero hours. */
export function parseExpectedJobs(text: string): ExpectedJob[] {
  const problems: string[] = [];
  const expected: ExpectedJob[] = [];
  for (const part of text.split(',')) {
    const [name = '', digits = ''] = part.split('=');
    const job = jobNames.find((one) => one === name);
    const hours = /^\d{1,3}$/.test(digits) ? Number(digits) : 0;
    if (job === undefined) problems.push(`"${name}" is no job`);
    else if (hours < 1) problems.push(`"${part}" must give 1 to 999 hours`);
    else if (expected.some((one) => one.job === job)) problems.push(`"${name}" is named twice`);
    else expected.push({ job, hours });
  }
  if (problems.length === 0) return expected;
  throw new JobFailure({
    code: 'settings.wrong',
    problem: `EXPECTED_JOBS is "${text}": ${problems.join('; ')} (jobs: ${jobNames.join(', ')})`,
    safeState: 'No report was written',
    hint: 'see docs/settings.md, section report',
  });
}
