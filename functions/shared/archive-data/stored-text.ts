// The text of stored members, streamed from S3 and proven on the way by the manifest. Whoever loads it commits only after the
// last piece.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { DataCodec } from './codec.ts';
import { createMemberReader, DamagedMember, type MemberReader } from './member-reader.ts';
import { MissingObject, readStored, type Source } from './read-stored.ts';

/** Whole members that have a checksum together: a range of a table, or a large object. */
export interface CheckedMembers {
  offset: number;
  length: number;
  /** Of the stored bytes. */
  sha256: string;
  /** Of the text; undefined where the manifest does not tell. */
  bytes?: number;
  crc32?: string;
}

export interface StoredTextRequest {
  source: Source;
  codec: DataCodec;
  key: string;
  /** Neighbours in the object, in order. */
  members: readonly CheckedMembers[];
}

/** What is stored is not what the manifest says of these members. */
export class DamagedStored extends Error {
  override readonly name = 'DamagedStored';
  readonly offset: number;
  readonly expected: string;
  readonly actual: string;

  constructor(offset: number, expected: string, actual: string) {
    super(`from byte ${offset} there are ${actual}; it must be ${expected}`);
    this.offset = offset;
    this.expected = expected;
    this.actual = actual;
  }
}

/** What is given to the decoder at once: a member of blanks may become a thousand times as much text. */
const STEP_BYTES = 65_536;

/** The text in order; throws DamagedStored at the end of the first members that are not as they must be, or before. */
export async function* storedText({ source, codec, key, members }: StoredTextRequest): AsyncGenerator<Buffer> {
  const waiting = members.filter(({ length }) => length > 0);
  const first = waiting.shift();
  if (first === undefined) return;
  const last = waiting.at(-1) ?? first;
  const length = last.offset + last.length - first.offset;
  if ([first, ...waiting].reduce((sum, one) => sum + one.length, 0) !== length)
    throw new DamagedStored(first.offset, 'members one behind the other', 'gaps between them');
  let open = startMembers(first, codec);
  try {
    for await (const chunk of readStored(source, key, first.offset, length)) {
      for (let from = 0; from < chunk.length; ) {
        const next = open.left === 0 ? waiting.shift() : undefined;
        if (next !== undefined) {
          yield* await open.end();
          open = startMembers(next, codec);
        }
        const piece = chunk.subarray(from, from + Math.min(STEP_BYTES, open.left));
        from += piece.length;
        yield* await open.take(piece);
      }
    }
    if (open.left > 0 || waiting.length > 0) {
      const short = open.left + waiting.reduce((sum, one) => sum + one.length, 0);
      throw new DamagedStored(open.members.offset, `${open.members.length} bytes`, `${short} bytes too few`);
    }
    yield* await open.end();
  } catch (error) {
    if (error instanceof MissingObject) throw new DamagedStored(first.offset, `${first.length} bytes`, error.message);
    throw error;
  } finally {
    open.reader.destroy();
  }
}

interface OpenMembers {
  readonly members: CheckedMembers;
  readonly reader: MemberReader;
  /** Stored bytes that are still to come. */
  readonly left: number;
  /** The text that came out. */
  take(piece: Buffer): Promise<Buffer[]>;
  end(): Promise<Buffer[]>;
}

function startMembers(members: CheckedMembers, codec: DataCodec): OpenMembers {
  const hash = createHash('sha256');
  let texts: Buffer[] = [];
  let crc = 0;
  let bytes = 0;
  let left = members.length;
  const reader = createMemberReader({
    codec,
    take: (text) => {
      bytes += text.length;
      if (members.crc32 !== undefined) crc = crc32(text, crc);
      texts.push(text);
    },
  });
  const decoded = async (step: () => Promise<void>): Promise<Buffer[]> => {
    try {
      await step();
    } catch (error) {
      if (error instanceof DamagedMember) throw new DamagedStored(members.offset, 'whole members', error.message);
      throw error;
    }
    const made = texts;
    texts = [];
    return made;
  };
  return {
    members,
    reader,
    get left() {
      return left;
    },
    take: async (piece) => {
      left -= piece.length;
      hash.update(piece);
      return await decoded(async () => await reader.write(piece));
    },
    end: async () => {
      const made = await decoded(async () => await reader.end());
      reader.destroy();
      const actual = describe(members, { bytes, crc32: crc.toString(16).padStart(8, '0'), sha256: hash.digest('hex') });
      const expected = describe(members, members);
      if (actual !== expected) throw new DamagedStored(members.offset, expected, actual);
      return made;
    },
  };
}

/** Only what the manifest tells. */
function describe(
  known: CheckedMembers,
  { bytes, crc32: crc, sha256 }: Omit<CheckedMembers, 'offset' | 'length'>,
): string {
  const ofText = known.bytes === undefined ? '' : `${bytes} bytes of text, CRC-32 ${crc}, `;
  return `${ofText}SHA-256 ${sha256}`;
}
