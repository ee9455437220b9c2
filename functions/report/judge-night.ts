// The verdict on a night: which jobs ran, which did not, and what needs a person. Pure. Unknown is never ok.

import { describeHours } from '../shared/describe-amounts.ts';
import { type JobName, jobNames } from '../shared/jobs.ts';
import type { RunRecord } from '../shared/run-record.ts';
import type { Verdict } from './contract.ts';
import { type AgeLimits, JUDGED_HERE, judgeBackups } from './judge-backups.ts';
import type { ExpectedJob } from './parse-expected-jobs.ts';
import type { Backups } from './read-backups.ts';
import type { Findings, PurgedPolicy } from './read-findings.ts';

export interface NightFacts {
  database: string;
  now: Date;
  expected: readonly ExpectedJob[];
  /** Newest first. */
  records: readonly RunRecord[];
  unreadable: readonly string[];
  backups: Backups;
  limits: AgeLimits;
  findings: Findings;
}

export interface JobSummary {
  job: JobName;
  state: 'ok' | 'failed' | 'not seen' | 'dry run';
  /** The newest run that was no dry run; of a job with dry runs only, the newest of those. */
  last: RunRecord | undefined;
  expectedHours: number | undefined;
  /** All its runs that were read, newest first. */
  runs: readonly RunRecord[];
  /** Failed runs before the newest one. */
  earlierFailures: number;
}

export interface Judgement {
  verdict: Verdict;
  /** Most urgent first. */
  reasons: { level: 'attention' | 'unknown'; text: string }[];
  jobs: JobSummary[];
}

/** Weighs what was seen; a night without any record is "could not tell", because nothing at all was seen. */
export function judgeNight(facts: NightFacts): Judgement {
  const jobs = summarizeJobs(facts);
  const backups = judgeBackups(facts.backups, facts.limits, facts.now);
  const health = facts.findings.health.filter(({ id }) => !JUDGED_HERE.includes(id));
  const attention = [
    ...backups.attention,
    ...jobs.flatMap((job) => judgeJob(job)),
    ...health
      .filter(({ status }) => status === 'critical' || status === 'warning')
      .map(({ id, status, message }) => `health check ${id} (${status}): ${message}`),
    ...facts.findings.purge.flatMap((policy) => judgePolicy(policy)),
  ];
  const unknown = [
    ...backups.unknown,
    ...health
      .filter(({ status }) => status === 'unknown')
      .map(({ id, message }) => `health check ${id} could not look: ${message}`),
    ...facts.findings.problems,
    ...facts.unreadable.map((text) => `a run record could not be read: ${text}`),
  ];
  const sawNothing = facts.records.length === 0;
  if (sawNothing) unknown.unshift('no job has left a record, so nobody knows what ran');
  const reasons = [
    ...attention.map((text) => ({ level: 'attention' as const, text })),
    ...unknown.map((text) => ({ level: 'unknown' as const, text })),
  ];
  if (sawNothing) {
    const unknownFirst = reasons.toSorted((a, b) => b.level.localeCompare(a.level));
    return { verdict: 'could not tell', reasons: unknownFirst, jobs };
  }
  return {
    verdict: attention.length > 0 ? 'needs attention' : unknown.length > 0 ? 'could not tell' : 'ok',
    reasons,
    jobs,
  };
}

function summarizeJobs({ expected, records, now }: NightFacts): JobSummary[] {
  // The report itself is at work: its own record comes after it.
  const shown = jobNames.filter(
    (job) => job !== 'report' && (expected.some((one) => one.job === job) || records.some((one) => one.job === job)),
  );
  return shown.map((job) => {
    const runs = records.filter((record) => record.job === job);
    const expectedHours = expected.find((one) => one.job === job)?.hours;
    const real = runs.filter(({ dryRun }) => !dryRun);
    const inWindow = real.filter(
      ({ finishedAt }) =>
        expectedHours === undefined || Date.parse(finishedAt) >= now.getTime() - expectedHours * 3_600_000,
    );
    const [newest] = real;
    const state =
      expectedHours !== undefined && inWindow.length === 0
        ? 'not seen'
        : newest === undefined
          ? 'dry run'
          : newest.outcome;
    const earlierFailures = real.slice(1).filter(({ outcome }) => outcome === 'failed').length;
    return { job, state, last: newest ?? runs[0], expectedHours, runs, earlierFailures };
  });
}

function judgeJob({ job, state, last, expectedHours }: JobSummary): string[] {
  if (state === 'not seen') return [`${job} was not seen within ${describeHours(expectedHours ?? 0)}`];
  return state === 'failed' ? [`${job} failed: ${last?.failure?.problem ?? 'its record does not say why'}`] : [];
}

/** What the newest purge says of a policy that needs a person: it did not come to its end, or it warns. */
function judgePolicy({ policy, state, pause, warnings }: PurgedPolicy): string[] {
  const unfinished = {
    finished: [],
    planned: [],
    stopped: [`purge policy ${policy} stopped before its end; rows past retention are left`],
    paused: [
      `purge policy ${policy} waits for the server (${pause?.reason ?? 'it does not say for what'}); rows past retention are left`,
    ],
  }[state];
  return [...unfinished, ...warnings.map((warning) => `purge policy ${policy}: ${warning}`)];
}
