// Bytes that mean nothing to a decoder: S3 wants at least 5 MiB in every part but the last of an object.
import type { DataCodec } from './codec.ts';

/** RFC 1952: an empty member whose header has a comment (FLG.FCOMMENT), which every reader skips. */
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 3]);
/** The zero byte that ends the comment, an empty final block of fixed codes, CRC-32 and length 0. */
const GZIP_TAIL = Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** RFC 8878 section 3.1.2: magic number and length, both little-endian, then bytes that are skipped. */
const ZSTD_SKIPPABLE_MAGIC = 0x184d2a50;
const ZSTD_HEAD_BYTES = 8;
/** The length field has 32 bits. */
const ZSTD_MOST_BYTES = ZSTD_HEAD_BYTES + 0xffff_ffff;

const LEAST_BYTES = { gzip: GZIP_HEAD.length + GZIP_TAIL.length, zstd: ZSTD_HEAD_BYTES };

/** The fewest bytes that padding can have: 21 for gzip, 8 for zstd. */
export function leastPadding(codec: DataCodec): number {
  return LEAST_BYTES[codec];
}

/**
 * Exactly `bytes` bytes that decode to nothing: a gzip member with a comment of blanks, or a zstd skippable frame.
 *
 * Throws RangeError below leastPadding(codec).
 */
export function createPadding(codec: DataCodec, bytes: number): Buffer {
  const most = codec === 'zstd' ? ZSTD_MOST_BYTES : Number.MAX_SAFE_INTEGER;
  if (!Number.isSafeInteger(bytes) || bytes < LEAST_BYTES[codec] || bytes > most)
    throw new RangeError(
      `${bytes} bytes of ${codec} padding were asked for; it must be ${LEAST_BYTES[codec]} to ${most}`,
    );
  const padding = Buffer.alloc(bytes, codec === 'gzip' ? ' ' : 0);
  if (codec === 'gzip') {
    GZIP_HEAD.copy(padding);
    GZIP_TAIL.copy(padding, bytes - GZIP_TAIL.length);
  } else {
    padding.writeUInt32LE(ZSTD_SKIPPABLE_MAGIC, 0);
    padding.writeUInt32LE(bytes - ZSTD_HEAD_BYTES, 4);
  }
  return padding;
}
