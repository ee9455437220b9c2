// Reads one range of a table back and compares all that the manifest says of it; the last range with the tail behind it.
import { crc32 } from 'node:zlib';
import type { DataCodec } from '../shared/archive-data/codec.ts';
import { readStored, type Source } from '../shared/archive-data/read-stored.ts';
import { createRowDigester } from '../shared/archive-data/row-digest.ts';
import type { ManifestObject, ManifestRange, ManifestTable } from '../shared/backup-files.ts';
import { decodeStored } from './decode-stored.ts';
import type { RangeRead } from './work-contract.ts';

/** One member of 6 bytes takes 20 to 40. */
export const MOST_TAIL_BYTES = 1_024;
const CLOSING_MARK = '\\.\n\n\n';

interface RangeRequest {
  source: Source;
  codec: DataCodec;
  table: ManifestTable;
  /** Index in the ranges of the table. */
  range: number;
  /** Undefined when the manifest does not list it. */
  object: ManifestObject | undefined;
}

/** What was read, and every difference from the manifest; the digest is null when there is one. */
export async function readRange(request: RangeRequest): Promise<Omit<RangeRead, 'table'> & { problems: string[] }> {
  const { source, codec, table, range: index, object } = request;
  const range = table.ranges[index];
  if (range === undefined) throw new RangeError(`table ${table.dumpId} has no range ${index}`);
  const digester = createRowDigester();
  let crc = 0;
  let bytes = 0;
  const tailBytes = index === table.ranges.length - 1 ? tailLength(range, object) : 0;
  const decoded = await decodeStored(readStored(source, table.key, range.offset, range.length + tailBytes), {
    codec,
    length: range.length,
    take: (text) => {
      bytes += text.length;
      crc = crc32(text, crc);
      digester.push(text);
    },
  });
  const { rows, digest, openBytes } = digester.end();
  const actual = { rows, bytes, crc32: crc.toString(16).padStart(8, '0') };
  const facts = { ...actual, stored: decoded.stored, sha256: decoded.sha256, openBytes };
  const problems = decoded.isMissing ? [] : compareRange(range, facts);
  if (decoded.problem !== undefined) problems.unshift(decoded.problem);
  const place = `range ${index + 1} of ${table.ranges.length}, from byte ${range.offset}`;
  const found = problems.length === 0 ? [] : [`${place}: ${problems.join('; ')}`];
  if (tailBytes > 0 && decoded.stored === range.length && !decoded.isMissing) {
    const tailProblem = await checkTail(codec, decoded.rest, tailBytes);
    if (tailProblem !== undefined) found.push(`tail member, from byte ${range.offset + range.length}: ${tailProblem}`);
  }
  return {
    range: index,
    rows,
    bytes,
    digest: found.length === 0 ? digest : null,
    problems: found,
  };
}

/** Bytes that the manifest leaves for the tail, or 0 when they cannot be one (which the check of its numbers tells). */
function tailLength(range: ManifestRange, object: ManifestObject | undefined): number {
  const left = (object?.bytes ?? 0) - range.offset - range.length;
  return left > 0 && left <= MOST_TAIL_BYTES ? left : 0;
}

interface ReadFacts {
  stored: number;
  sha256: string;
  rows: number;
  bytes: number;
  crc32: string;
  openBytes: number;
}

function compareRange(range: ManifestRange, actual: ReadFacts): string[] {
  const pairs: [string, string | number, string | number][] = [
    ['stored bytes', actual.stored, range.length],
    ['SHA-256 of the stored bytes', actual.sha256, range.sha256],
    ['bytes of COPY text', actual.bytes, range.bytes],
    ['rows', actual.rows, range.rows],
    ['CRC-32 of the COPY text', actual.crc32, range.crc32],
    ['bytes behind the last row', actual.openBytes, 0],
  ];
  return pairs.filter(([, is, must]) => is !== must).map(([what, is, must]) => `${what}: ${is}, must be ${must}`);
}

/** By what it decodes to: the bits of a member's head that no reader looks at are not compared. */
async function checkTail(codec: DataCodec, tail: Buffer, length: number): Promise<string | undefined> {
  if (tail.length < length) return `only ${tail.length} of ${length} bytes are stored`;
  const texts: Buffer[] = [];
  const stored = (async function* () {
    yield tail;
  })();
  const { problem } = await decodeStored(stored, {
    codec,
    length: tail.length,
    // Some kilobytes of an altered member could decode to megabytes.
    take: (text) => void texts.push(Buffer.from(text.subarray(0, MOST_TAIL_BYTES))),
  });
  if (problem !== undefined) return problem;
  const isRight = Buffer.concat(texts).equals(Buffer.from(CLOSING_MARK));
  return isRight ? undefined : `it does not hold the closing mark ${JSON.stringify(CLOSING_MARK)}`;
}
