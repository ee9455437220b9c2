// Report from the bucket to one HTML file. Reads run records and manifests, writes one object, opens no database.

import { reportKeys } from '../shared/backup-layout.ts';
import type { JobContext } from '../shared/job-handler.ts';
import { TOOL_VERSION } from '../shared/tool-version.ts';
import { buildPage } from './build-page.ts';
import type { ReportResult } from './contract.ts';
import type { AgeLimits } from './judge-backups.ts';
import { judgeNight, type NightFacts } from './judge-night.ts';
import { parseExpectedJobs } from './parse-expected-jobs.ts';
import { readBackups } from './read-backups.ts';
import { readFindings } from './read-findings.ts';
import { readRunRecords } from './read-run-records.ts';

interface ReportDependencies extends Pick<JobContext, 'store' | 'clock' | 'log' | 'runId'> {
  database: string;
  expectedJobs: string;
  limits: AgeLimits;
}

/** Writes the report, also about a bad night; throws only when the bucket cannot be read or written. */
export async function runReport(deps: ReportDependencies): Promise<ReportResult> {
  const { store, database, clock, log, runId } = deps;
  const now = clock.now();
  const expected = parseExpectedJobs(deps.expectedJobs);
  const runs = await readRunRecords(store, database, expected, now);
  const backups = await readBackups(store, database);
  const findings = readFindings(runs.records);
  const facts: NightFacts = { database, now, expected, ...runs, backups, limits: deps.limits, findings };
  const judgement = judgeNight(facts);
  const { html: key } = reportKeys(database, runId);
  await store.putOwn(key, buildPage(facts, judgement, runId, TOOL_VERSION), 'text/html; charset=utf-8');
  log.info('report.stored', { key, verdict: judgement.verdict });
  const notSeen = judgement.jobs.filter(({ state }) => state === 'not seen');
  return {
    key,
    verdict: judgement.verdict,
    reasons: judgement.reasons.map(({ text }) => text),
    jobsSeen: judgement.jobs.filter(({ state }) => state !== 'not seen').map(({ job }) => job),
    jobsNotSeen: notSeen.map(({ job }) => job),
  };
}
