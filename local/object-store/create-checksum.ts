// The additional checksums of S3. CRC-32 and the SHA families come from Node, CRC-32C and CRC-64/NVME from tables here.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export const checksumAlgorithms = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** Bytes of the raw checksum, to tell a malformed value from a wrong one. */
export const checksumBytes: Record<ChecksumAlgorithm, number> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
};

export interface RunningChecksum {
  update(piece: Uint8Array): void;
  /** The raw checksum, most significant byte first; ends the computation. */
  digest(): Buffer;
}

/** A checksum that is fed piece by piece. */
export function createChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  if (algorithm === 'crc32') return createCrc32();
  if (algorithm === 'crc32c') return createCrc32c();
  if (algorithm === 'crc64nvme') return createCrc64();
  const hash = createHash(algorithm);
  return { update: (piece) => hash.update(piece), digest: () => hash.digest() };
}

/** The algorithm that a header value such as `CRC32` names, or undefined. */
export function findAlgorithm(name: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((algorithm) => algorithm.toUpperCase() === name);
}

/** Bytes of a base64 text, or undefined when the text is not base64 of exactly that many bytes. */
export function decodeBase64(text: string, bytes: number): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text ? decoded : undefined;
}

function createCrc32(): RunningChecksum {
  let value = 0;
  return {
    update(piece) {
      value = crc32(piece, value);
    },
    digest: () => bigEndian(value),
  };
}

const castagnoli = 0x82_f6_3b_78;
const crc32cTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ castagnoli : value >>> 1;
  return value;
});

function createCrc32c(): RunningChecksum {
  let value = 0xff_ff_ff_ff;
  return {
    update(piece) {
      let crc = value;
      for (let index = 0; index < piece.length; index += 1) {
        crc = (crc32cTable[(crc ^ (piece[index] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
      }
      value = crc;
    },
    digest: () => bigEndian(~value >>> 0),
  };
}

const nvme = 0x9a_6c_93_29_ac_4b_c9_b5n;
// Two halves of 32 bits: BigInt arithmetic per byte would be a hundred times slower.
const crc64High = new Uint32Array(256);
const crc64Low = new Uint32Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ nvme : value >> 1n;
  crc64High[byte] = Number(value >> 32n);
  crc64Low[byte] = Number(value & 0xff_ff_ff_ffn);
}

function createCrc64(): RunningChecksum {
  let high = 0xff_ff_ff_ff;
  let low = 0xff_ff_ff_ff;
  return {
    update(piece) {
      let h = high;
      let l = low;
      for (let index = 0; index < piece.length; index += 1) {
        const slot = (l ^ (piece[index] ?? 0)) & 0xff;
        l = ((l >>> 8) | (h << 24)) ^ (crc64Low[slot] ?? 0);
        h = (h >>> 8) ^ (crc64High[slot] ?? 0);
      }
      high = h;
      low = l;
    },
    digest: () => Buffer.concat([bigEndian(~high >>> 0), bigEndian(~low >>> 0)]),
  };
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
