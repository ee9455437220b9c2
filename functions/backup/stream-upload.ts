// Sends a stream of unknown length to S3 as one multipart upload, several parts at a time, and keeps it uncompleted
// until the caller knows that the stream was whole.
import { createHash } from 'node:crypto';
import { describeError } from '../shared/job-failure.ts';
import type { Log } from '../shared/log.ts';
import type { ObjectStore, StoredObject, UploadedPart } from '../shared/object-store.ts';

const MIB = 1_048_576;
const FIRST_PART_BYTES = 8 * MIB;
/** S3 takes 10,000 parts; doubling the size every 1,000 makes room for 8 TiB, more than S3's largest object of 5 TiB. */
const PARTS_PER_SIZE = 1_000;

/** Bytes of part `partNumber` (from 1): 8 MiB at first, so that small archives take little memory, growing afterwards. */
export function partBytes(partNumber: number): number {
  return FIRST_PART_BYTES * 2 ** Math.floor((partNumber - 1) / PARTS_PER_SIZE);
}

export interface PendingUpload {
  readonly bytes: number;
  readonly sha256: string;
  /** Makes the object; it does not exist before. */
  complete(): Promise<StoredObject>;
  abort(): Promise<void>;
}

interface UploadRequest {
  store: ObjectStore;
  key: string;
  contentType: string;
  source: AsyncIterable<Buffer>;
  partsInFlight: number;
  signal: AbortSignal;
  log: Log;
}

/**
 * Reads the source to its end; on any failure the upload is aborted, with no part left behind, before it throws.
 *
 * Where even the abort fails (S3 is down) that is logged, and the sweep of a later run or the bucket's rule removes the parts.
 */
export async function uploadStream(request: UploadRequest): Promise<PendingUpload> {
  const { store, key, signal, log } = request;
  const uploadId = await store.createUpload(key, request.contentType);
  const cancel = new AbortController();
  const stop = AbortSignal.any([cancel.signal, signal]);
  const running = new Set<Promise<void>>();
  const parts: UploadedPart[] = [];
  const failures: unknown[] = [];
  let sent = 0;

  const abort = async () => {
    cancel.abort();
    // A part that arrives after the abort would stay in the bucket, unseen and paid for.
    await Promise.all(running);
    await store.abortUpload(key, uploadId);
  };
  const throwIfFailed = () => {
    if (failures.length > 0) throw failures[0];
    signal.throwIfAborted();
  };
  const send = async (body: Buffer) => {
    while (running.size >= request.partsInFlight) await Promise.race(running);
    throwIfFailed();
    sent += 1;
    const sending: Promise<void> = store
      .uploadPart(key, uploadId, sent, body, stop)
      .then((part) => void parts.push(part))
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(sending));
    running.add(sending);
  };

  try {
    const hash = createHash('sha256');
    let waiting: Buffer[] = [];
    let waitingBytes = 0;
    let bytes = 0;
    for await (const chunk of request.source) {
      throwIfFailed();
      hash.update(chunk);
      bytes += chunk.length;
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes >= partBytes(sent + 1)) {
        await send(Buffer.concat(waiting));
        waiting = [];
        waitingBytes = 0;
      }
    }
    if (waitingBytes > 0 || sent === 0) await send(Buffer.concat(waiting));
    await Promise.all(running);
    throwIfFailed();
    const inOrder = parts.toSorted((a, b) => a.partNumber - b.partNumber);
    return {
      bytes,
      sha256: hash.digest('hex'),
      abort,
      complete: async () => ({ ...(await store.completeUpload(key, uploadId, inOrder)), bytes }),
    };
  } catch (error) {
    await abort().catch((cause: unknown) => {
      log.error('backup.upload_not_aborted', { key, problem: describeError(cause) });
    });
    throw error;
  }
}
