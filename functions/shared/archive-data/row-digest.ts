// The row digest of COPY text: one number that is equal for equal rows in whatever order. Made by verify of an archive and by
// the restore drill of a restored table. A digest tells nothing about a row.
import { createHash, type Hash, hash } from 'node:crypto';

export interface RowDigest {
  rows: number;
  /** 32 hex digits. */
  digest: string;
}

export interface RowDigester {
  /** Takes the next bytes of the text, cut anywhere; they may be reused at once. */
  push(text: Buffer): void;
  /** Of all rows so far; `openBytes` are those behind the last newline, which belong to no row and must be 0. */
  end(): RowDigest & { openBytes: number };
}

const NEWLINE = 10;
const BITS = 128;
/** The hash is added up in numbers of 16 bits, which a double holds exactly for 2^37 rows: no carry while rows go by. */
const LANE_BITS = 16n;
const LANES = 8;

export const NO_ROWS: RowDigest = { rows: 0, digest: '0'.repeat(32) };

/**
 * Digests COPY text: the sum modulo 2^128 of a hash of each row, so duplicates count and the order does not.
 *
 * The hash is the first 16 bytes of the SHA-256 of the line without its newline, read as a big-endian number: of the
 * hashes of OpenSSL the fastest for lines of up to 300 bytes on processors with SHA instructions. Memory does not grow with
 * the length of a row.
 */
export function createRowDigester(): RowDigester {
  const sums = new Float64Array(LANES);
  let rows = 0;
  /** Of a row that began in an earlier chunk. */
  let open: Hash | undefined;
  let openBytes = 0;

  // Each character of 'binary' is one byte: cheaper than a buffer for each row.
  function add(digest: string): void {
    for (let lane = 0; lane < LANES; lane += 1) {
      sums[lane] = (sums[lane] ?? 0) + digest.charCodeAt(2 * lane) * 256 + digest.charCodeAt(2 * lane + 1);
    }
    rows += 1;
  }

  return {
    push: (text) => {
      let from = 0;
      for (let to = text.indexOf(NEWLINE); to !== -1; to = text.indexOf(NEWLINE, from)) {
        const line = text.subarray(from, to);
        add(open === undefined ? hash('sha256', line, 'binary') : open.update(line).digest('binary'));
        open = undefined;
        openBytes = 0;
        from = to + 1;
      }
      if (from === text.length) return;
      open ??= createHash('sha256');
      open.update(text.subarray(from));
      openBytes += text.length - from;
    },
    end: () => ({
      rows,
      digest: hexOf(sums.reduce((sum, lane) => (sum << LANE_BITS) + BigInt(lane), 0n)),
      openBytes,
    }),
  };
}

/** The digest of the rows of both, e.g. of two ranges of a table. */
export function addRowDigests(one: RowDigest, other: RowDigest): RowDigest {
  return {
    rows: one.rows + other.rows,
    digest: hexOf(BigInt(`0x${one.digest}`) + BigInt(`0x${other.digest}`)),
  };
}

function hexOf(sum: bigint): string {
  return BigInt.asUintN(BITS, sum).toString(16).padStart(32, '0');
}
