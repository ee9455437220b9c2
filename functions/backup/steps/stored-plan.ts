// Stores and reads what the steps of a distributed backup hand over to each other. Nothing is ever overwritten.
import type * as z from 'zod';
import { backupKeys } from '../../shared/backup-layout.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import { type BackupPlan, backupPlanSchema, type CopiedWork, copiedWorkSchema } from '../plan/plan-contract.ts';

const READS_AT_ONCE = 16;

/** Stores the plan; only the holder of the claim writes it, and once. */
export async function storePlan(store: ObjectStore, plan: BackupPlan): Promise<void> {
  const { plan: key } = backupKeys(plan.database, plan.backupId);
  await store.putOwn(key, `${JSON.stringify(plan)}\n`, 'application/json');
}

/** The plan of a backup, or undefined when there is none yet. */
export async function readPlan(
  store: ObjectStore,
  database: string,
  backupId: string,
): Promise<BackupPlan | undefined> {
  const { plan: key } = backupKeys(database, backupId);
  const text = await store.getText(key);
  return text === undefined ? undefined : parse(backupPlanSchema, key, text);
}

/** Stores what a pass has copied, or gives what another run of the same pass has stored before. */
export async function storeWork(store: ObjectStore, plan: BackupPlan, work: CopiedWork): Promise<CopiedWork> {
  const key = backupKeys(plan.database, plan.backupId).work(work.group, work.pass);
  try {
    await store.putNew(key, `${JSON.stringify(work)}\n`, 'application/json');
    return work;
  } catch (error) {
    if (!(error instanceof JobFailure && error.code === 'object_store.exists')) throw error;
    const stored = await readWork(store, plan, work.group, work.pass);
    if (!stored) throw error;
    return stored;
  }
}

/** What a pass has copied, or undefined when it has not ended. */
export async function readWork(
  store: ObjectStore,
  plan: BackupPlan,
  group: number,
  pass: number,
): Promise<CopiedWork | undefined> {
  const key = backupKeys(plan.database, plan.backupId).work(group, pass);
  const text = await store.getText(key);
  return text === undefined ? undefined : parse(copiedWorkSchema, key, text);
}

/** All passes of all groups. */
export async function readAllWork(store: ObjectStore, plan: BackupPlan): Promise<CopiedWork[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(backupKeys(plan.database, plan.backupId).workPrefix)) keys.push(key);
  return await inParallel(READS_AT_ONCE, keys, async (key) =>
    parse(copiedWorkSchema, key, (await store.getText(key)) ?? ''),
  );
}

function parse<S extends z.ZodType>(schema: S, key: string, text: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new JobFailure({
      code: 'backup.incomplete',
      problem: `"${key}" is not what a step of this version writes`,
      safeState: 'No manifest was written, so this is no backup; earlier backups are as they were',
      hint: 'a deploy in the middle of a backup can do this: start the backup again',
      cause: error,
    });
  }
}
