// Step copy of the workflow: one pass over one group of the plan. Out of time it stores what it has, splits the range it
// was in, and answers that the group is to be started again.
import { asJobFailure } from '../../shared/database-errors.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { CopyResult } from '../contract.ts';
import { createUploadBudget } from '../copy/upload-budget.ts';
import { incomplete } from '../finish/account-for-work.ts';
import type { BackupPlan, CopiedWork, WorkItem } from '../plan/plan-contract.ts';
import { splitRange } from '../plan/plan-ranges.ts';
import type { BackupJob } from '../run-backup.ts';
import { openSource } from '../snapshot/open-source.ts';
import { type CopiedItems, copyItems } from './copy-items.ts';
import { reportProgress } from './report-progress.ts';
import { readPlan, readWork, storeWork } from './stored-plan.ts';

const CONTENT_TYPE = 'application/octet-stream';

/** Copies one group as far as the time allows; a second run of the same pass answers what the first has stored. */
export async function runCopy(job: BackupJob): Promise<CopyResult> {
  const { event, settings, store } = job;
  const { backupId = '', group = 0, pass = 1 } = event;
  const plan = await readPlan(store, settings.DATABASE_NAME, backupId);
  if (plan?.executionId !== event.executionId || !plan) {
    throw incomplete(`backup ${backupId} has ${plan ? 'a plan of another execution' : 'no plan'}`);
  }
  const before = await readWork(store, plan, group, pass);
  const work = before ?? (await storeWork(store, plan, await copyPass(job, plan, group, pass)));
  return { backupId, group, pass: pass + 1, done: work.remaining.length === 0 };
}

async function copyPass(job: BackupJob, plan: BackupPlan, group: number, pass: number): Promise<CopiedWork> {
  const items = await itemsOf(job, plan, group, pass);
  const waiting = [...items];
  let current: WorkItem | undefined;
  const next = () => {
    current = waiting.shift();
    return current;
  };
  const copied: CopiedItems = { ranges: [], largeObjects: [] };
  const budget = createUploadBudget({ maxParts: job.settings.PARTS_IN_FLIGHT });
  const progress = reportProgress(job, plan);
  const source = openSource(job);
  try {
    await copyItems({ job, source, plan, next, copied, budget, signal: job.signal, onProgress: progress.add });
  } catch (error) {
    if (!isOutOfTime(job.signal)) {
      throw asJobFailure(error, {
        during: `the copying of group ${group}`,
        safeState: 'The parts that it has uploaded are overwritten by the same bytes when it is started again',
      });
    }
    if (current) waiting.unshift(...(await halves(job, plan, current, waiting.length + 1 < items.length)));
  } finally {
    progress.end();
    await source.close();
  }
  const { executionId } = plan;
  return { workVersion: 1, executionId, group, pass, ...copied, remaining: waiting };
}

async function itemsOf(job: BackupJob, plan: BackupPlan, group: number, pass: number): Promise<readonly WorkItem[]> {
  const items = pass === 1 ? plan.groups[group] : (await readWork(job.store, plan, group, pass - 1))?.remaining;
  if (items) return items;
  throw incomplete(
    `backup ${plan.backupId} has no group ${group}${pass === 1 ? '' : ` that pass ${pass - 1} has left`}`,
  );
}

function isOutOfTime(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof JobFailure && signal.reason.code === 'job.out_of_time';
}

/** The item that was under way when the time was over, in halves: alone in a pass it has more time, but not without end. */
async function halves(job: BackupJob, plan: BackupPlan, item: WorkItem, hadCompany: boolean): Promise<WorkItem[]> {
  if ('largeObjects' in item) {
    if (hadCompany) return [item];
    throw tooLarge(`${plan.largeObjects[item.largeObjects]?.oids.length ?? 0} large objects`);
  }
  const table = plan.tables.find(({ dumpId }) => dumpId === item.dumpId);
  const parts = splitRange(item.range, table?.blocks ?? 0);
  if (table && parts) {
    // A table of one range had no upload yet; both halves must go into the same.
    const own =
      table.uploadId === null ? (item.uploadId ?? (await job.store.createUpload(table.key, CONTENT_TYPE))) : null;
    return parts.map((range) => ({ dumpId: item.dumpId, range, ...(own === null ? {} : { uploadId: own }) }));
  }
  if (hadCompany) return [item];
  throw tooLarge(`the range from block ${item.range.blocks[0]} of table "${table?.schema}"."${table?.name}"`);
}

function tooLarge(what: string): JobFailure {
  return new JobFailure({
    code: 'job.out_of_time',
    problem: `${what} cannot be copied within the time limit of one function, and cannot be split further`,
    safeState: 'No manifest was written, so this is no backup; earlier backups are as they were',
    hint: 'raise timeoutSeconds and memoryMiB of backup in nightshift.config.ts',
  });
}
