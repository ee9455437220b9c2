import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPartWriter, LEAST_PART_BYTES, partBytesAt } from '../../../functions/backup/copy/part-writer.ts';
import { createUploadBudget } from '../../../functions/backup/copy/upload-budget.ts';
import { JobFailure } from '../../../functions/shared/job-failure.ts';

const MIB = 1_048_576;

/** S3 at the edge of the process: keeps the parts, answers late, fails where it is told to. */
function recordingStore(fails: (partNumber: number) => boolean = () => false) {
  const parts = new Map<number, Buffer>();
  const calls: string[] = [];
  let flying = 0;
  let mostFlying = 0;
  return {
    parts,
    calls,
    flying: () => flying,
    mostFlying: () => mostFlying,
    store: {
      createUpload: async () => {
        calls.push('create');
        return 'begun here';
      },
      uploadPart: async (_key: string, _id: string, partNumber: number, body: Buffer, signal?: AbortSignal) => {
        flying += 1;
        mostFlying = Math.max(mostFlying, flying);
        try {
          await sleep(2, undefined, signal ? { signal } : {});
          if (fails(partNumber)) throw new Error(`part ${partNumber} refused`);
          // Copied after the wait: memory that is used again too early would be seen here.
          parts.set(partNumber, Buffer.from(body));
          return { partNumber, etag: `etag ${partNumber}` };
        } finally {
          flying -= 1;
        }
      },
      putSame: async (key: string, body: Buffer) => {
        calls.push('put');
        parts.set(0, Buffer.from(body));
        return { key, bytes: body.length, etag: 'put' };
      },
      abortUpload: async () => void calls.push('abort'),
    },
  };
}

const TAIL = Buffer.from('the tail');

function writerFor(
  recorded: ReturnType<typeof recordingStore>,
  more: Partial<Parameters<typeof createPartWriter>[0]> = {},
) {
  return createPartWriter({
    store: recorded.store,
    budget: createUploadBudget(),
    codec: 'gzip',
    key: 'db/backup/archive/1.dat.gz',
    subject: 'table "a"."b", blocks 0 to 9',
    uploadId: 'of the plan',
    partBytes: 8 * MIB,
    firstPart: 101,
    parts: 100,
    isLast: false,
    tail: TAIL,
    signal: new AbortController().signal,
    ...more,
  });
}

/** Bytes that differ from place to place. */
const source = Buffer.allocUnsafe(64 * MIB);
for (let at = 0; at < source.length; at += 4) source.writeUInt32LE((at * 2_654_435_761) % 0xffff_ffff, at);

async function writeAll(writer: ReturnType<typeof createPartWriter>, bytes: number, piece = 300_000): Promise<void> {
  for (let from = 0; from < bytes; from += piece) {
    const chunk = Buffer.from(source.subarray(from, Math.min(bytes, from + piece)));
    await writer.write([chunk]);
    chunk.fill(0);
  }
}

describe('createPartWriter', () => {
  test('a range of any length: its parts joined are its bytes, and each is large enough for S3', async () => {
    const lengths = fc.oneof(
      fc.integer({ min: 0, max: 60 * MIB }),
      fc.constantFrom(
        0,
        1,
        LEAST_PART_BYTES - 1,
        LEAST_PART_BYTES,
        8 * MIB,
        8 * MIB + 1,
        13 * MIB - 1,
        13 * MIB,
        13 * MIB + 1,
      ),
    );
    await fc.assert(
      fc.asyncProperty(lengths, fc.boolean(), async (length, isLast) => {
        const recorded = recordingStore();
        const writer = writerFor(recorded, { isLast });
        await writeAll(writer, length);

        const written = await writer.finish();

        const numbers = written.upload?.parts.map(({ partNumber }) => partNumber) ?? [];
        const stored = Buffer.concat(numbers.map((number) => recorded.parts.get(number) ?? Buffer.alloc(0)));
        expect(numbers).toEqual(numbers.map((_, index) => 101 + index));
        expect(recorded.parts.size).toBe(numbers.length);
        expect(stored.subarray(0, length).equals(source.subarray(0, length))).toBe(true);
        const own = isLast ? stored.subarray(0, stored.length - TAIL.length) : stored;
        expect(written.length).toBe(own.length);
        expect(written.sha256).toBe(createHash('sha256').update(own).digest('hex'));
        const isPadded = !isLast && length > 0 && length < LEAST_PART_BYTES;
        expect(isPadded || own.length === length).toBe(true);
        const small = [...recorded.parts.values()].filter((part) => part.length < LEAST_PART_BYTES);
        expect(small.length).toBe(isLast && length < LEAST_PART_BYTES - TAIL.length ? 1 : 0);
        expect(recorded.flying()).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  test('an empty range that is not the last: no part; the last: only the tail', async () => {
    const empty = recordingStore();
    const last = recordingStore();

    const nothing = await writerFor(empty).finish();
    const tail = await writerFor(last, { isLast: true }).finish();

    expect(nothing).toMatchObject({ length: 0, upload: { uploadId: 'of the plan', parts: [] }, object: null });
    expect(empty.parts.size).toBe(0);
    expect(tail).toMatchObject({ length: 0, upload: { parts: [{ partNumber: 101, bytes: TAIL.length }] } });
    expect(last.parts.get(101)).toEqual(TAIL);
  });

  test('no upload was planned and it ends before a part is full: one put with the tail, and no upload is begun', async () => {
    const recorded = recordingStore();
    const writer = writerFor(recorded, { uploadId: null, isLast: true, firstPart: 1 });
    await writeAll(writer, 3 * MIB);

    const written = await writer.finish();

    expect(recorded.calls).toEqual(['put']);
    expect(written).toMatchObject({ length: 3 * MIB, upload: null, object: { bytes: 3 * MIB + TAIL.length } });
    expect(recorded.parts.get(0)?.equals(Buffer.concat([source.subarray(0, 3 * MIB), TAIL]))).toBe(true);
  });

  test('no upload was planned and it is larger: the upload is begun, and aborted when the range fails', async () => {
    const recorded = recordingStore();
    const writer = writerFor(recorded, { uploadId: null, isLast: true, firstPart: 1 });
    await writeAll(writer, 20 * MIB);

    await writer.abort();

    expect(recorded.calls).toEqual(['create', 'abort']);
    expect(recorded.flying()).toBe(0);
  });

  test('one part is refused: the range fails with its error, nothing is on its way and the planned upload stays', async () => {
    const recorded = recordingStore((partNumber) => partNumber === 102);
    const writer = writerFor(recorded);
    const all = async () => {
      await writeAll(writer, 60 * MIB);
      await writer.finish();
    };

    await expect(all()).rejects.toThrow('part 102 refused');
    await writer.abort();

    expect(recorded.flying()).toBe(0);
    expect(recorded.calls).toEqual([]);
  });

  test('aborted from outside: parts on their way end, and writing rejects with the reason', async () => {
    const recorded = recordingStore();
    const cancel = new AbortController();
    const writer = writerFor(recorded, { signal: cancel.signal });
    await writeAll(writer, 30 * MIB);
    cancel.abort(new Error('out of time'));

    await expect(writer.write([Buffer.from('more')])).rejects.toThrow('out of time');
    await writer.abort();

    expect(recorded.flying()).toBe(0);
  });

  test('more bytes than the numbers can hold: refused with the table and the range, not stored short', async () => {
    const recorded = recordingStore();
    const writer = writerFor(recorded, { parts: 2, partBytes: LEAST_PART_BYTES });
    const failure = await writeAll(writer, 64 * MIB).catch((error: unknown) => error);
    await writer.abort();

    expect(failure).toBeInstanceOf(JobFailure);
    expect(failure).toMatchObject({ code: 'backup.part_numbers_used_up' });
    expect(String(failure)).toContain('table "a"."b", blocks 0 to 9');
    expect(Math.max(...recorded.parts.keys())).toBeLessThanOrEqual(102);
  });
});

describe('partBytesAt', () => {
  test('half of the numbers have the planned size, each eighth after that twice the one before', () => {
    const sizes = Array.from({ length: 16 }, (_, index) => partBytesAt(index, 16, 8));

    expect(sizes).toEqual([8, 8, 8, 8, 8, 8, 8, 8, 16, 16, 32, 32, 64, 64, 128, 128]);
    expect(partBytesAt(0, 1, 8)).toBe(8);
  });
});

describe('createUploadBudget', () => {
  const { signal } = new AbortController();

  test('parts and bytes are bounded, first come first served', async () => {
    const budget = createUploadBudget({ maxParts: 2, maxBytes: 100 });
    const order: string[] = [];
    const first = await budget.acquire(60, signal);
    const large = budget.acquire(90, signal).then((release) => {
      order.push('large');
      return release;
    });
    const small = budget.acquire(10, signal).then((release) => {
      order.push('small');
      return release;
    });
    await sleep(5);
    expect(order).toEqual([]);

    first();
    first();
    (await large)();
    (await small)();

    expect(order).toEqual(['large', 'small']);
  });

  test('a part larger than the whole budget: sent alone instead of never', async () => {
    const budget = createUploadBudget({ maxParts: 4, maxBytes: 100 });

    const release = await budget.acquire(1_000, signal);
    let isSecond = false;
    const second = budget.acquire(1, signal).then((free) => {
      isSecond = true;
      return free;
    });
    await sleep(5);
    expect(isSecond).toBe(false);
    release();

    expect(typeof (await second)).toBe('function');
  });

  test('aborted while it waits: it rejects, and those behind it go on', async () => {
    const budget = createUploadBudget({ maxParts: 1 });
    const cancel = new AbortController();
    const release = await budget.acquire(1, signal);
    const waiting = budget.acquire(1, cancel.signal);
    const behind = budget.acquire(1, signal);
    cancel.abort(new Error('stopped'));

    await expect(waiting).rejects.toThrow('stopped');
    release();
    expect(typeof (await behind)).toBe('function');
  });

  test('memory that is given back is used again for a part of the same size only', () => {
    const budget = createUploadBudget();
    const buffer = budget.takeBuffer(1_000);
    budget.giveBack(buffer);

    expect(budget.takeBuffer(1_000)).toBe(buffer);
    budget.giveBack(buffer);
    expect(budget.takeBuffer(2_000)).toHaveLength(2_000);
  });
});
