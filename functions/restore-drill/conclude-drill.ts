// Ends a drill: stores the evidence, drops the scratch database, tells the metrics, and fails unless everything was equal.
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { type DrillRecord, parseDrillRecord } from '../shared/drill-record.ts';
import { describeError, type FailureCode, JobFailure } from '../shared/job-failure.ts';
import { dropScratchDatabase } from '../shared/scratch-database.ts';
import { TOOL_VERSION } from '../shared/tool-version.ts';
import type { DrillState, DrillWorkResult } from './contract.ts';
import { drillScratch } from './drill-scratch.ts';
import type { DrillServer } from './drill-server.ts';
import { forbiddenKinds } from './forbidden-objects.ts';
import type { RestoreDrillJob } from './run-restore-drill.ts';

export interface Verdict {
  outcome: DrillRecord['outcome'];
  problem: string | null;
  findings: DrillRecord['findings'];
  /** Those of the archive; of a comparison they are in the state. */
  differences?: DrillRecord['differences'];
}

/** What a restore without owners and grants, on the server that the backup came from, does not show. */
const NOT_PROVEN_ON_SAME_SERVER = [
  'ownership and grants (restored with --no-owner --no-privileges)',
  'roles and passwords (they exist on this server already)',
];
/** What no restore shows. */
const NEVER_PROVEN = [
  'contents of materialized views (computed again)',
  'tablespaces (everything was restored into the default one)',
];
/** A record is read by people. */
const MOST_LISTED = 100;

/** Stores the evidence, then drops the scratch database; throws for every outcome but "ok". */
export async function conclude(
  job: RestoreDrillJob,
  server: DrillServer,
  manifest: BackupManifest,
  state: DrillState,
  verdict: Verdict,
): Promise<DrillWorkResult> {
  const { clock, store } = job;
  const now = clock.now();
  const differences = verdict.differences ?? state.soFar.differences;
  const record: DrillRecord = {
    drillVersion: 1,
    database: manifest.database,
    backupId: manifest.backupId,
    drillId: state.drillId,
    toolVersion: TOOL_VERSION,
    chosenAs: state.chosenAs,
    startedAt: state.startedAt,
    finishedAt: now.toISOString(),
    outcome: verdict.outcome,
    problem: verdict.problem,
    target: { kind: server.kind, version: await readVersion(server) },
    rtoSeconds: state.rtoSeconds,
    durationSeconds: Math.max(0, now.getTime() - Date.parse(state.startedAt)) / 1_000,
    compared: state.soFar.compared,
    differences: differences.slice(0, MOST_LISTED),
    differenceCount: verdict.differences?.length ?? state.soFar.differenceCount,
    findings: [...(state.storageFindings ?? []), ...verdict.findings].slice(0, MOST_LISTED),
    notProven: [
      ...(server.kind === 'same server' ? NOT_PROVEN_ON_SAME_SERVER : []),
      ...NEVER_PROVEN,
      ...manifest.notSeen.map((what) => `${what} (not in the backup: its role cannot see it)`),
      ...manifest.excluded.map((what) => `${what} (not in the backup: a filter left it out)`),
      ...state.forbidden.slice(0, MOST_LISTED).map((words) => `${words} (left out)`),
      ...forbiddenKinds(state.forbidden).map((kind) => `definitions of kind "${kind}" (not compared)`),
      ...state.soFar.notProven,
    ],
  };
  const text = `${JSON.stringify(record, null, 2)}\n`;
  await store.putOwn(recordKey(job, state), text, 'application/json');
  return await endConcluded(job, server, state, record);
}

function recordKey({ settings }: RestoreDrillJob, { backupId, drillId }: DrillState): string {
  return backupKeys(settings.DATABASE_NAME, backupId).drilled(drillId);
}

/** The evidence of this drill, when an earlier pass has stored it and was killed before it could answer. */
export async function readConclusion(job: RestoreDrillJob, state: DrillState): Promise<DrillRecord | undefined> {
  const key = recordKey(job, state);
  const recordText = await job.store.getText(key);
  return recordText === undefined ? undefined : parseDrillRecord(key, recordText);
}

/** What follows the evidence. May be done again. */
export async function endConcluded(
  job: RestoreDrillJob,
  server: DrillServer,
  state: DrillState,
  record: DrillRecord,
): Promise<DrillWorkResult> {
  const { log, metrics } = job;
  const key = recordKey(job, state);
  metrics.put('DrillFailed', record.outcome === 'ok' ? 0 : 1);
  if (record.outcome === 'ok' && record.rtoSeconds !== null) metrics.put('RtoSeconds', record.rtoSeconds);
  metrics.put('DrillDurationSeconds', record.durationSeconds);
  // Now: what is thrown below ends the run before it would flush by itself.
  metrics.flush();
  for (const difference of record.differences)
    log.error('restore_drill.difference_found', { backup_id: record.backupId, ...difference });
  let notDropped: JobFailure | undefined;
  try {
    await dropScratchDatabase(server.database, drillScratch, state.scratch);
  } catch (cause) {
    notDropped = notDroppedFailure(state.scratch, record, key, cause);
    log.error('restore_drill.scratch_not_dropped', { scratch_database: state.scratch, problem: describeError(cause) });
  }
  // What was found about the backup comes first.
  if (record.outcome !== 'ok') throw badEnd(record, key);
  if (notDropped !== undefined) throw notDropped;
  log.info('restore_drill.drilled', { backup_id: record.backupId, rto_seconds: record.rtoSeconds, evidence: key });
  return { done: true, drill: state };
}

async function readVersion({ database }: DrillServer): Promise<string> {
  return await database.withSession(async (session) => {
    const { rows } = await session.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version ?? '';
  });
}

const NOT_TO_BE_RELIED_ON =
  'do not rely on this backup: make a new one now, verify and drill it, and keep this one for the investigation';
const OF_THE_SERVER =
  'install what is missing, or drill on a target of its own that has it; nothing is said about the backup';

const BAD_ENDS: Readonly<
  Record<Exclude<DrillRecord['outcome'], 'ok'>, { code: FailureCode; says: string; hint: string }>
> = {
  damaged: { code: 'drill.archive_damaged', says: 'is not what was written', hint: NOT_TO_BE_RELIED_ON },
  failed: { code: 'drill.restore_failed', says: 'did not restore', hint: NOT_TO_BE_RELIED_ON },
  different: { code: 'drill.different', says: 'does not restore to what was backed up', hint: NOT_TO_BE_RELIED_ON },
  unproven: { code: 'drill.unproven', says: 'could not be proven on this server', hint: OF_THE_SERVER },
};

function badEnd(record: DrillRecord, key: string): JobFailure {
  const end = record.outcome === 'ok' ? BAD_ENDS.unproven : BAD_ENDS[record.outcome];
  return new JobFailure({
    code: end.code,
    problem: `backup ${record.backupId} ${end.says}: ${record.problem ?? 'no reason is known'}`,
    safeState: `The scratch database was dropped, production and backup are as they were; the evidence is in "${key}"`,
    hint: end.hint,
  });
}

function notDroppedFailure(
  scratch: string,
  { backupId, outcome }: DrillRecord,
  key: string,
  cause: unknown,
): JobFailure {
  return new JobFailure({
    code: 'drill.scratch_not_dropped',
    problem: `scratch database "${scratch}" could not be dropped: ${describeError(cause)}`,
    safeState: `The drill of backup ${backupId} ended with "${outcome}", and that evidence is in "${key}"`,
    hint: 'end what uses it and drop it: it takes as much disk as the database; a later drill tries again',
    cause,
  });
}
