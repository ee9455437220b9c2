// The verify job: reads a backup back and proves every byte by the manifest, in one run or by the steps of the workflow.
// Puts nothing but evidence; sees no database. What S3 did not answer is never a verdict.
import type { JobContext } from '../shared/job-handler.ts';
import type { SettingValues } from '../shared/read-environment.ts';
import { readVerifications, verifiedState } from '../shared/verification.ts';
import { chooseBackup, chooseSample, readManifest } from './choose-backup.ts';
import { conclude } from './conclude.ts';
import type { VerifyEvent, VerifyPlanResult, VerifyReadResult, VerifyResult } from './contract.ts';
import type { verifySettings } from './environment.ts';
import { incomplete, joinWork } from './join-work.ts';
import { divideIntoGroups, type ReadPlan, readItems, storedBytes } from './plan-reading.ts';
import { readGroup } from './read-group.ts';
import { readPlan, readWork, storePlan, storeWork } from './stored-work.ts';
import type { ReadWork } from './work-contract.ts';

export type VerifyJob = JobContext & { event: VerifyEvent; settings: SettingValues<typeof verifySettings> };

const GIB = 2 ** 30;

/** Runs what the event asks for. */
export async function runVerify(job: VerifyJob): Promise<VerifyResult | VerifyPlanResult | VerifyReadResult> {
  switch (job.event.step) {
    case 'plan':
      return await runPlan(job);
    case 'read':
      return await runRead(job);
    case 'finish':
      return await runFinish(job);
    default:
      return await runInline(job);
  }
}

/** Reads everything, or the sample, in this run. */
export async function runInline(job: VerifyJob): Promise<VerifyResult> {
  const { event, settings, store, clock, log } = job;
  const chosen = await chooseBackup(store, settings.DATABASE_NAME, event.backupId);
  const { manifest, evidence } = chosen;
  const sample = chooseSample(chosen, settings.VERIFY_SAMPLES, event.sample);
  const verificationId = event.verificationId ?? job.runId;
  log.info('verify.backup_chosen', { backup_id: manifest.backupId, sample });
  const items = readItems(manifest, sample);
  const work = await readGroup({ job, manifest, verificationId, sample, group: 0, items });
  const joined = { manifest, verificationId, sample, works: [work], earlier: evidence };
  const found = await joinWork({ ...joined, finishedAt: clock.now() });
  return await conclude(job, { manifest, found, earlier: evidence });
}

async function runPlan(job: VerifyJob): Promise<VerifyPlanResult> {
  const { event, settings, store } = job;
  const chosen = await chooseBackup(store, settings.DATABASE_NAME, event.backupId);
  const { manifest, evidence } = chosen;
  const sample = chooseSample(chosen, settings.VERIFY_SAMPLES, event.sample);
  const items = readItems(manifest, sample);
  const answer = {
    backupId: manifest.backupId,
    verificationId: event.verificationId ?? job.runId,
    estimatedBytes: items.reduce((sum, item) => sum + storedBytes(item), 0),
    groups: [],
    concurrency: settings.VERIFY_STEPS,
  };
  // A backup that nobody named is read again: what was good once may have rotted.
  if (event.backupId !== undefined && verifiedState(manifest, evidence) === 'verified')
    return { mode: 'verified', ...answer };
  if (answer.estimatedBytes <= settings.VERIFY_INLINE_LIMIT_GIB * GIB) return { mode: 'inline', ...answer };
  const plan = await storePlan(store, settings.DATABASE_NAME, {
    planVersion: 1,
    verificationId: answer.verificationId,
    backupId: manifest.backupId,
    sample,
    groups: divideIntoGroups(items, settings.VERIFY_STEPS),
  });
  return { mode: 'distributed', ...answer, groups: plan.groups.map((_, group) => group) };
}

async function runRead(job: VerifyJob): Promise<VerifyReadResult> {
  const { settings, store, event } = job;
  const database = settings.DATABASE_NAME;
  const { group = 0 } = event;
  const { manifest, plan } = await readPlanned(job);
  const { verificationId, backupId, sample } = plan;
  const bounds = plan.groups[group];
  if (bounds === undefined)
    throw incomplete(
      { manifest, verificationId },
      `group ${group} was asked for, but the plan has ${plan.groups.length}`,
    );
  const done = await readWork(store, database, { backupId, verificationId, group });
  const items = readItems(manifest, sample).slice(...bounds);
  const work =
    done ??
    (await storeWork(store, database, await readGroup({ job, manifest, verificationId, sample, group, items })));
  return { backupId, verificationId, group, bytes: work.bytes, findings: work.findingCount };
}

async function runFinish(job: VerifyJob): Promise<VerifyResult> {
  const { settings, store, clock } = job;
  const { manifest, plan } = await readPlanned(job);
  const { verificationId, backupId, sample } = plan;
  const evidence = await readVerifications(store, settings.DATABASE_NAME, backupId);
  // Without the evidence of an earlier start of this step, which would count as another sample.
  const earlier = evidence.filter(({ runId }) => runId !== verificationId);
  const works = readWorks(job, plan, (problem) => incomplete({ manifest, verificationId }, problem));
  const found = await joinWork({ manifest, verificationId, sample, works, earlier, finishedAt: clock.now() });
  return await conclude(job, { manifest, found, earlier });
}

async function* readWorks(
  job: VerifyJob,
  plan: ReadPlan,
  failure: (problem: string) => Error,
): AsyncGenerator<ReadWork> {
  const { settings, store, signal } = job;
  const { backupId, verificationId } = plan;
  for (const group of plan.groups.keys()) {
    signal.throwIfAborted();
    const work = await readWork(store, settings.DATABASE_NAME, { backupId, verificationId, group });
    if (work === undefined) throw failure(`group ${group} of ${plan.groups.length} was not read`);
    yield work;
  }
}

async function readPlanned({ event, settings, store }: VerifyJob) {
  const { backupId = '', verificationId = '' } = event;
  const manifest = await readManifest(store, settings.DATABASE_NAME, backupId);
  const plan = await readPlan(store, settings.DATABASE_NAME, { backupId, verificationId });
  if (plan === undefined) throw incomplete({ manifest, verificationId }, 'it has no plan');
  return { manifest, plan };
}
