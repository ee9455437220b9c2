// The plan of a verification by steps and what its groups have read, as they lie in S3. No object is written twice: a step
// that is started again finds what the first one has left.
import type * as z from 'zod';
import { backupKeys } from '../shared/backup-layout.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { parseEvidence } from '../shared/verification.ts';
import { type ReadPlan, readPlanSchema } from './plan-reading.ts';
import { type ReadWork, readWorkSchema } from './work-contract.ts';

/** Stores the plan, or answers the one that an earlier start of the same run has stored. */
export async function storePlan(store: ObjectStore, database: string, plan: ReadPlan): Promise<ReadPlan> {
  const key = backupKeys(database, plan.backupId).verifyPlan(plan.verificationId);
  return await storeOnce(store, key, readPlanSchema, plan);
}

/** The plan; undefined when there is none. */
export async function readPlan(
  store: ObjectStore,
  database: string,
  { backupId, verificationId }: { backupId: string; verificationId: string },
): Promise<ReadPlan | undefined> {
  return await readStoredRecord(store, backupKeys(database, backupId).verifyPlan(verificationId), readPlanSchema);
}

/** Stores what a group has read, or answers what another start of the same step has stored. */
export async function storeWork(store: ObjectStore, database: string, work: ReadWork): Promise<ReadWork> {
  const key = backupKeys(database, work.backupId).verifyWork(work.verificationId, work.group);
  return await storeOnce(store, key, readWorkSchema, work);
}

/** What a group has read; undefined when it has not ended. */
export async function readWork(
  store: ObjectStore,
  database: string,
  { backupId, verificationId, group }: { backupId: string; verificationId: string; group: number },
): Promise<ReadWork | undefined> {
  return await readStoredRecord(
    store,
    backupKeys(database, backupId).verifyWork(verificationId, group),
    readWorkSchema,
  );
}

/**
 * Stores the record under a key that only starts of the same step write, or answers the record that is there.
 *
 * The one that came first counts, unless the later one has found damage that the first has not: then throws
 * `object_store.exists`, because damage must not get lost.
 */
export async function storeOnce<S extends z.ZodType>(
  store: ObjectStore,
  key: string,
  schema: S,
  record: z.output<S>,
): Promise<z.output<S>> {
  try {
    await store.putOwn(key, `${JSON.stringify(record)}\n`, 'application/json');
    return record;
  } catch (error) {
    if (!(error instanceof JobFailure && error.code === 'object_store.exists')) throw error;
    const present = await readStoredRecord(store, key, schema);
    if (present === undefined || findingCount(present) < findingCount(record)) throw error;
    return present;
  }
}

async function readStoredRecord<S extends z.ZodType>(
  store: ObjectStore,
  key: string,
  schema: S,
): Promise<z.output<S> | undefined> {
  const recordText = await store.getText(key);
  return recordText === undefined ? undefined : parseEvidence(schema, key, recordText);
}

function findingCount(record: unknown): number {
  const count: unknown = typeof record === 'object' && record !== null ? Reflect.get(record, 'findingCount') : 0;
  return typeof count === 'number' ? count : 0;
}
