// Collects compressed bytes into the parts of an S3 upload. Every part but the last of the object has at least 5 MiB;
// the numbers are the ones that the plan reserved, so that ranges can be made in any order, and twice.
import { createHash } from 'node:crypto';
import type { DataCodec } from '../../shared/archive-data/codec.ts';
import { createPadding, leastPadding } from '../../shared/archive-data/padding.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore, StoredObject } from '../../shared/object-store.ts';
import type { UploadBudget } from './upload-budget.ts';

const NOTHING = Buffer.alloc(0);
/** S3 user guide, multipart upload limits: no part but the last may be smaller. */
export const LEAST_PART_BYTES = 5_242_880;

/** Not application/gzip: some clients would unpack that on their way. */
const CONTENT_TYPE = 'application/octet-stream';

const BEGINNING_BYTES = 16_384;

interface UploadedPart {
  partNumber: number;
  etag: string;
  bytes: number;
}

export interface WrittenParts {
  /** Stored bytes with padding, without the tail. */
  length: number;
  /** SHA-256 of those bytes. */
  sha256: string;
  /** Null when the object was put whole. Parts in order of number. */
  upload: { uploadId: string; parts: UploadedPart[] } | null;
  object: StoredObject | null;
}

export interface PartWriter {
  /** Takes the bytes, which may be reused; waits for room in the upload budget. Rejects with the failure of any part. */
  readonly write: (compressed: readonly Buffer[]) => Promise<void>;
  /** Stores the rest and waits for all parts. */
  finish(): Promise<WrittenParts>;
  /** Ends the parts that are on their way and waits for them; aborts the upload if it was begun here. Never throws. */
  abort(): Promise<void>;
}

interface PartWriterRequest {
  store: Pick<ObjectStore, 'createUpload' | 'uploadPart' | 'putSame' | 'abortUpload'>;
  budget: UploadBudget;
  codec: DataCodec;
  key: string;
  /** What the bytes are of, for a failure: `table "a"."b", blocks 0 to 100`. */
  subject: string;
  /** Null: an upload is begun when the first part is full; when none is, the object is put whole. */
  uploadId: string | null;
  partBytes: number;
  /** Reserved part numbers: `parts` of them from `firstPart`. */
  firstPart: number;
  parts: number;
  /** True for the last bytes of the object, which `tail` follows. */
  isLast: boolean;
  tail: Buffer;
  signal: AbortSignal;
}

/**
 * Bytes of the part that takes the `index`th (from 0) of `parts` reserved numbers.
 *
 * The planned size for the first half of the numbers, doubled with every eighth after it: in all 4.25 times what the
 * numbers hold at the planned size, for a range with more than its share of the table.
 */
export function partBytesAt(index: number, parts: number, partBytes: number): number {
  const half = parts / 2;
  return index < half ? partBytes : partBytes * 2 ** (1 + Math.floor((index - half) / (parts / 8)));
}

/** A writer for one range of a table, or for one large object. Call abort() when anything fails. */
export function createPartWriter(request: PartWriterRequest): PartWriter {
  const { store, budget, codec, key, tail, isLast } = request;
  const cancel = new AbortController();
  const stop = AbortSignal.any([cancel.signal, request.signal]);
  const hash = createHash('sha256');
  const sending = new Set<Promise<void>>();
  const sent: UploadedPart[] = [];
  const failures: unknown[] = [];
  let { uploadId } = request;
  let length = 0;
  let begun = 0;
  let numbersUsed = 0;
  /** A full part that waits until it is sure not to be followed by a last one of less than 5 MiB. */
  let full: Buffer | undefined;
  /** The beginning, which is all there is of a small object: a whole part for each of thousands would be taken for nothing. */
  let beginning: Buffer | undefined = Buffer.allocUnsafe(BEGINNING_BYTES);
  let filling: Buffer | undefined = beginning;
  let used = 0;
  /** The write or finish under way. */
  let working: Promise<unknown> = Promise.resolve();

  const throwIfFailed = () => {
    if (failures.length > 0) throw failures[0];
    request.signal.throwIfAborted();
    stop.throwIfAborted();
  };

  function nextBuffer(): Buffer {
    // Past the last number only as much is taken as the part before can be joined with.
    const bytes = begun < request.parts ? partBytesAt(begun, request.parts, request.partBytes) : LEAST_PART_BYTES;
    begun += 1;
    return budget.takeBuffer(bytes);
  }

  async function send(body: Buffer, memory?: Buffer): Promise<void> {
    throwIfFailed();
    if (numbersUsed === request.parts) throw numbersUsedUp(request);
    const partNumber = request.firstPart + numbersUsed;
    numbersUsed += 1;
    uploadId ??= await store.createUpload(key, CONTENT_TYPE);
    const id = uploadId;
    const release = await budget.acquire(body.length, stop);
    const upload = async () => {
      try {
        const { etag } = await store.uploadPart(key, id, partNumber, body, stop);
        sent.push({ partNumber, etag, bytes: body.length });
        if (memory) budget.giveBack(memory);
      } catch (error) {
        failures.push(error);
        // The others would only delay the report.
        cancel.abort(error);
      } finally {
        release();
        sending.delete(one);
      }
    };
    const one: Promise<void> = upload();
    sending.add(one);
  }

  async function append(chunk: Buffer): Promise<void> {
    for (let from = 0; from < chunk.length; ) {
      if (beginning && used === beginning.length) {
        filling = nextBuffer();
        beginning.copy(filling);
        beginning = undefined;
      } else if (filling && used === filling.length) {
        full = filling;
        filling = undefined;
      }
      if (!filling) {
        // Beyond the last number and 5 MiB on top there is no part that could take it.
        if (begun > request.parts) throw numbersUsedUp(request);
        filling = nextBuffer();
        used = 0;
      }
      const copied = chunk.copy(filling, used, from);
      from += copied;
      used += copied;
      if (full && used >= LEAST_PART_BYTES) {
        const body = full;
        full = undefined;
        await send(body, body);
      }
    }
  }

  /** What is left over: less than 5 MiB, with the full part before it if there is one. `memory` is free once it is sent. */
  function lastBody(): { body: Buffer; memory: Buffer | undefined } {
    const end = isLast ? tail : NOTHING;
    if (!full && filling && used + end.length <= filling.length) {
      const bytes = used + end.copy(filling, used);
      return { body: filling.subarray(0, bytes), memory: beginning ? undefined : filling };
    }
    const body = Buffer.concat([full ?? NOTHING, filling?.subarray(0, used) ?? NOTHING, end]);
    for (const memory of [full, filling]) if (memory && !beginning) budget.giveBack(memory);
    return { body, memory: undefined };
  }

  async function putWhole(body: Buffer, memory: Buffer | undefined): Promise<StoredObject> {
    const release = await budget.acquire(body.length, stop);
    try {
      const object = await store.putSame(key, body, CONTENT_TYPE, stop);
      if (memory) budget.giveBack(memory);
      return object;
    } finally {
      release();
    }
  }

  async function write(compressed: readonly Buffer[]): Promise<void> {
    throwIfFailed();
    for (const chunk of compressed) {
      hash.update(chunk);
      length += chunk.length;
      await append(chunk);
    }
  }

  async function finish(): Promise<WrittenParts> {
    throwIfFailed();
    if (!isLast && length > 0 && length < LEAST_PART_BYTES) {
      const padding = createPadding(codec, Math.max(leastPadding(codec), LEAST_PART_BYTES - length));
      hash.update(padding);
      length += padding.length;
      await append(padding);
    }
    const { body, memory } = lastBody();
    const sha256 = hash.digest('hex');
    let object: StoredObject | null = null;
    if (isLast && uploadId === null) object = await putWhole(body, memory);
    else if (body.length > 0) await send(body, memory);
    await Promise.all(sending);
    throwIfFailed();
    const parts = sent.toSorted((a, b) => a.partNumber - b.partNumber);
    return { length, sha256, upload: uploadId === null ? null : { uploadId, parts }, object };
  }

  return {
    write: async (compressed) => {
      const writing = write(compressed);
      working = writing;
      await writing;
    },
    finish: async () => {
      const finishing = finish();
      working = finishing;
      return await finishing;
    },
    abort: async () => {
      cancel.abort();
      // It may be beginning the upload that has to be aborted; its failure is known to who called it.
      await working.catch(() => {});
      // A part that arrives after the abort of its upload would stay in the bucket, unseen and paid for.
      await Promise.all(sending);
      if (request.uploadId !== null || uploadId === null) return;
      // Where even this fails, the end of the backup, the sweep of the next run or the bucket's rule removes the parts.
      await store.abortUpload(key, uploadId).catch(() => {});
    },
  };
}

function numbersUsedUp({ subject, parts, partBytes }: PartWriterRequest): JobFailure {
  return new JobFailure({
    code: 'backup.part_numbers_used_up',
    problem: `${subject}: its ${parts} part numbers, from ${partBytes} bytes each, are used up and the rows go on`,
    safeState: 'No backup was recorded',
    hint: 'this part of the table holds many times its share of the bytes: lower copySteps and workers, so that the table is cut into fewer ranges with more part numbers each, or have it rewritten evenly (VACUUM FULL, pg_repack)',
  });
}
