// Copies large objects from the shared snapshot into S3, each as one file of the archive.
import { createHash } from 'node:crypto';
import { emptyMember } from '../../shared/archive-data/codec.ts';
import { createMemberWriter } from '../../shared/archive-data/member-writer.ts';
import { storedFileName } from '../../shared/archive-toc/archive-file-names.ts';
import { backupKeys } from '../../shared/backup-layout.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore, StoredObject } from '../../shared/object-store.ts';
import type { BackupPlan, CopiedLargeObject, PlannedLargeObjects } from '../plan/plan-contract.ts';
import { type LargeObjectContent, readLargeObjects } from './large-object-content.ts';
import { createPartWriter, type WrittenParts } from './part-writer.ts';
import type { UploadBudget } from './upload-budget.ts';

/** Objects that are being stored while the next one is read: a put takes S3 some 30 ms, reading a small object none. */
const STORED_AT_ONCE = 8;
const LEAST_PART_BYTES = 5_242_880;
/** S3's limit of part numbers, and as many as the largest content needs when nothing of it can be compressed. */
const PART_NUMBERS = 10_000;
const PARTS_OF_LARGEST = 9_000;

export interface CopyLargeObjectsRequest {
  /** In a transaction on the shared snapshot. */
  session: DatabaseSession;
  store: ObjectStore;
  plan: Pick<BackupPlan, 'database' | 'backupId' | 'codec'>;
  batch: PlannedLargeObjects;
  budget: UploadBudget;
  signal: AbortSignal;
  /** Bytes of content that have been read since the last call. */
  onProgress(bytes: number): void;
}

/**
 * Stores every object of the batch as `archive/blob_<oid>.dat.gz` or `.zst`, in order of OID.
 *
 * What is stored already with the same size is kept: a worker that is started twice makes the same bytes. When it throws
 * nothing is on its way any more.
 */
export async function copyLargeObjects(request: CopyLargeObjectsRequest): Promise<CopiedLargeObject[]> {
  const cancel = new AbortController();
  const signal = AbortSignal.any([request.signal, cancel.signal]);
  const copied: CopiedLargeObject[] = [];
  const failures: unknown[] = [];
  const storing = new Set<Promise<void>>();
  const fail = (error: unknown) => {
    failures.push(error);
    cancel.abort(error);
  };
  try {
    for await (const object of readLargeObjects(request.session, request.batch.oids)) {
      const store = await readOne({ ...request, signal }, object);
      const one = store()
        .then((result) => void copied.push(result))
        .catch(fail)
        .finally(() => storing.delete(one));
      storing.add(one);
      while (storing.size >= STORED_AT_ONCE) await Promise.race(storing);
      signal.throwIfAborted();
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(storing);
  request.signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
  return copied.toSorted((a, b) => a.oid - b.oid);
}

/** Reads and compresses one object; what is left to do is to store the rest of it, while the next one is read. */
async function readOne(
  request: CopyLargeObjectsRequest,
  { oid, mostBytes, content }: LargeObjectContent,
): Promise<() => Promise<CopiedLargeObject>> {
  const { store, plan, signal } = request;
  const name = storedFileName(`blob_${oid}.dat`, plan.codec);
  const key = backupKeys(plan.database, plan.backupId).archiveFile(name);
  const parts = createPartWriter({
    store,
    budget: request.budget,
    codec: plan.codec,
    key,
    subject: `large object ${oid}`,
    uploadId: null,
    partBytes: Math.max(LEAST_PART_BYTES, Math.ceil(mostBytes / PARTS_OF_LARGEST)),
    firstPart: 1,
    parts: PART_NUMBERS,
    isLast: true,
    tail: Buffer.alloc(0),
    signal,
  });
  const member = createMemberWriter({ codec: plan.codec, content: 'bytes', take: parts.write });
  const hash = createHash('sha256');
  const orAbort = async <T>(step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (error) {
      member.destroy();
      await parts.abort();
      throw error;
    }
  };
  const { bytes } = await orAbort(async () => {
    for await (const piece of content) {
      signal.throwIfAborted();
      request.onProgress(piece.length);
      hash.update(piece);
      const room = member.write(piece);
      if (room) await room;
    }
    const written = await member.finish();
    // pg_dump stores a member without content; a file of no bytes is not a gzip file.
    if (written.bytes === 0) await parts.write([emptyMember(plan.codec)]);
    return written;
  });
  return async () =>
    await orAbort(async () => {
      const written = await parts.finish();
      const object = written.object ?? (await complete(store, key, written));
      return { oid, bytes, sha256: hash.digest('hex'), object: { ...object, sha256: written.sha256 } };
    });
}

async function complete(store: ObjectStore, key: string, { upload, length }: WrittenParts): Promise<StoredObject> {
  if (!upload) throw new Error(`nothing of "${key}" was uploaded`);
  try {
    return { ...(await store.completeUpload(key, upload.uploadId, upload.parts)), bytes: length };
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error;
    // The answer to an earlier request was lost, or an earlier worker has made the object: the same bytes.
    for await (const present of store.list(key)) {
      if (present.key !== key || present.bytes !== length) continue;
      await store.abortUpload(key, upload.uploadId).catch(() => {});
      return present;
    }
    throw error;
  }
}
