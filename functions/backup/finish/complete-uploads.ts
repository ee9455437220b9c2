// Makes the objects of an archive out of their parts, and proves by a listing that each is there with its size.
import { tailMember } from '../../shared/archive-data/codec.ts';
import { backupKeys } from '../../shared/backup-layout.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import type { Log } from '../../shared/log.ts';
import type { ObjectStore, StoredObject } from '../../shared/object-store.ts';
import type { BackupPlan } from '../plan/plan-contract.ts';
import { type CopiedContents, type CopiedTable, incomplete } from './account-for-work.ts';

/** Completing takes S3 a moment for a large object; the requests themselves cost nothing. */
const REQUESTS_AT_ONCE = 8;

interface CompleteRequest {
  store: ObjectStore;
  plan: BackupPlan;
  contents: CopiedContents;
  signal: AbortSignal;
  log: Log;
}

/**
 * Every object below archive/, as S3 lists it, by key.
 *
 * Throws `backup.incomplete` when one is missing, of another size than its parts, or not planned. Uploads of workers
 * that were started twice are aborted. May be run again: what is complete already is left as it is.
 */
export async function completeUploads(request: CompleteRequest): Promise<Map<string, StoredObject>> {
  const { store, plan, contents, signal } = request;
  const prefix = backupKeys(plan.database, plan.backupId).archive;
  const expected = expectedSizes(plan, contents);
  const uploaded = contents.tables.filter(({ ranges }) => ranges.some(({ upload }) => upload !== null));
  await inParallel(REQUESTS_AT_ONCE, uploaded, async (copied) => {
    signal.throwIfAborted();
    await completeOne(request, copied, expected.get(copied.table.key) ?? 0);
  });
  const [after] = await Promise.all([listed(store, prefix), abortUploads(store, prefix, request.log)]);
  for (const [key, bytes] of expected) {
    const actual = after.get(key);
    if (actual?.bytes !== bytes) {
      throw incomplete(
        `object ${key} has ${actual ? `${actual.bytes} bytes` : 'not been stored'} but must have ${bytes} bytes`,
      );
    }
  }
  for (const key of after.keys()) if (!expected.has(key)) throw incomplete(`object ${key} is not in the plan`);
  return after;
}

/** Aborts whatever upload is still open below a prefix; how many. */
export async function abortUploads(store: ObjectStore, prefix: string, log: Log): Promise<number> {
  let aborted = 0;
  for await (const { key, uploadId } of store.listUploads(prefix)) {
    await store.abortUpload(key, uploadId);
    log.warn('backup.upload_aborted', { key });
    aborted += 1;
  }
  return aborted;
}

async function completeOne({ store }: CompleteRequest, copied: CopiedTable, bytes: number): Promise<void> {
  const { key } = copied.table;
  const uploads = copied.ranges.flatMap(({ upload }) => upload ?? []);
  const parts = uploads.flatMap((upload) => upload.parts);
  try {
    // One upload for all ranges of a table: accounted for before.
    await store.completeUpload(key, uploads[0]?.uploadId ?? '', parts);
  } catch (error) {
    // S3 may have completed the upload although its answer was lost; the retry is then refused, but the object is ours:
    // only the holder of this attempt's claim writes this key. It is listed, not read: backup may not read archives.
    const present = (await listed(store, key)).get(key);
    if (present?.bytes !== bytes) throw error;
  }
}

function expectedSizes(plan: BackupPlan, contents: CopiedContents): Map<string, number> {
  const archive = backupKeys(plan.database, plan.backupId).archive;
  const expected = new Map<string, number>();
  for (const { key, bytes } of plan.stored) if (key.startsWith(archive)) expected.set(key, bytes);
  for (const { object } of contents.largeObjects) expected.set(object.key, object.bytes);
  const tail = tailMember(plan.codec).length;
  for (const { table, ranges } of contents.tables) {
    const members = ranges.reduce((sum, { length }) => sum + length, 0);
    const stored = ranges.reduce(
      (sum, { upload, object }) =>
        sum + (object?.bytes ?? 0) + (upload?.parts ?? []).reduce((all, { bytes }) => all + bytes, 0),
      0,
    );
    if (stored !== members + tail) {
      throw incomplete(
        `object ${table.key} has parts of ${stored} bytes but its ranges and its tail have ${members + tail}`,
      );
    }
    expected.set(table.key, stored);
  }
  return expected;
}

async function listed(store: ObjectStore, prefix: string): Promise<Map<string, StoredObject>> {
  const found = new Map<string, StoredObject>();
  for await (const object of store.list(prefix)) found.set(object.key, object);
  return found;
}
