// Text in, one whole gzip member or zstd frame out. The text is compressed in batches of exactly 1 MiB, so that the bytes
// depend on the text alone and not on how the network cut it: a range that is made twice is stored twice the same.
import { crc32 } from 'node:zlib';
import { type Compressor, compressAtOnce, createCompressor, type DataCodec, hasShortRows } from './codec.ts';

export const BATCH_BYTES = 1_048_576;
const GZIP_TRAILER_BYTES = 8;
/** Up to here a stream in the thread pool costs more than the compression: measured for large objects of a few bytes. */
const AT_ONCE_BYTES = 65_536;

/** Batches of writers that have ended: thousands of small tables would make the garbage collector work for each. */
const spareBatches: Buffer[] = [];
const MOST_SPARE_BATCHES = 4;

function takeBatch(): Buffer {
  return spareBatches.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES);
}

export interface MemberWriter {
  /**
   * Takes the text, which may be reused at once. Undefined when there is room for more already: no promise for each of
   * the small pieces that come from the network. Rejects with what an earlier batch has failed of.
   */
  write(text: Buffer): Promise<void> | undefined;
  /** Ends the member; no text at all makes no member. `crc32` is of the text, 8 hex digits. */
  finish(): Promise<{ bytes: number; crc32: string }>;
  /** Gives up and frees the memory. */
  destroy(): void;
}

/**
 * A writer of one member, which `take` gets piece by piece, in order and one call at a time.
 *
 * One batch is compressed in the thread pool while the next one fills; a write waits for both, and so for `take`.
 */
export function createMemberWriter({
  codec,
  content,
  take,
}: {
  codec: DataCodec;
  /** COPY text, or the content of a large object. */
  content: 'rows' | 'bytes';
  take: (compressed: readonly Buffer[]) => Promise<void>;
}): MemberWriter {
  let filling = takeBatch();
  let other: Buffer | undefined;
  let used = 0;
  let bytes = 0;
  let crc = 0;
  let trailer: Buffer = Buffer.alloc(0);
  let compressor: Compressor | undefined;
  let running: Promise<void> = Promise.resolve();

  const pass = async (compressed: readonly Buffer[]) => {
    for (const chunk of compressed)
      trailer = Buffer.concat([trailer, chunk.subarray(-GZIP_TRAILER_BYTES)]).subarray(-GZIP_TRAILER_BYTES);
    await take(compressed);
  };
  const compress = async (member: Compressor, text: Buffer) => await pass(await member.compress(text));

  // By the text alone, so that the same text always gives the same bytes.
  const rowsOf = (beginning: Buffer) => (content === 'rows' && hasShortRows(beginning) ? 'short' : 'long');

  async function send(): Promise<void> {
    await running;
    const batch = filling;
    const text = batch.subarray(0, used);
    filling = other ?? takeBatch();
    other = batch;
    used = 0;
    compressor ??= createCompressor(codec, rowsOf(text));
    // The trailer of a gzip member holds it already; for zstd the checksum of the frame is another one.
    if (codec === 'zstd') crc = crc32(text, crc);
    running = compress(compressor, text);
    // The next write or finish reports it; without a listener it would end the process before that.
    running.catch(() => {});
  }

  async function writeAcross(text: Buffer): Promise<void> {
    for (let from = 0; from < text.length; ) {
      const copied = text.copy(filling, used, from);
      from += copied;
      used += copied;
      if (used === BATCH_BYTES) await send();
    }
  }

  return {
    write: (text) => {
      bytes += text.length;
      if (used + text.length >= BATCH_BYTES) return writeAcross(text);
      used += text.copy(filling, used);
      return undefined;
    },
    finish: async () => {
      const text = filling.subarray(0, used);
      if (!compressor && used > 0 && used <= AT_ONCE_BYTES) {
        if (codec === 'zstd') crc = crc32(text);
        await pass([compressAtOnce(codec, text, rowsOf(text))]);
      } else {
        if (used > 0) await send();
        await running;
        if (compressor) await pass(await compressor.finish());
      }
      if (codec === 'gzip' && bytes > 0) crc = trailer.readUInt32LE(0);
      for (const batch of [filling, other])
        if (batch && spareBatches.length < MOST_SPARE_BATCHES) spareBatches.push(batch);
      return { bytes, crc32: crc.toString(16).padStart(8, '0') };
    },
    destroy: () => compressor?.destroy(),
  };
}
