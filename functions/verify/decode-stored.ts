// Decodes stored bytes while they are hashed. A damaged member ends the decoding, not the hashing: both are told.
import { createHash } from 'node:crypto';
import type { DataCodec } from '../shared/archive-data/codec.ts';
import { createMemberReader, DamagedMember } from '../shared/archive-data/member-reader.ts';
import { MissingObject } from '../shared/archive-data/read-stored.ts';

export interface Decoded {
  /** Stored bytes that were there, at most `length`. */
  stored: number;
  /** SHA-256 of these. */
  sha256: string;
  /** What is stored behind them. */
  rest: Buffer;
  /** What kept the stored bytes from being decoded. */
  problem: string | undefined;
  /** There is no such object, so nothing else is worth comparing. */
  isMissing: boolean;
}

/** Decodes the first `length` bytes of `source`; the text goes to `take`. No stored byte at all is no text. */
export async function decodeStored(
  source: AsyncIterable<Buffer>,
  { codec, length, take }: { codec: DataCodec; length: number; take: (text: Buffer) => void },
): Promise<Decoded> {
  const reader = createMemberReader({ codec, take });
  const hash = createHash('sha256');
  const rest: Buffer[] = [];
  let stored = 0;
  let problem: string | undefined;
  let isMissing = false;
  const attempt = async (step: () => Promise<void>) => {
    try {
      if (problem === undefined) await step();
    } catch (error) {
      if (!(error instanceof DamagedMember)) throw error;
      problem = error.message;
    }
  };
  try {
    for await (const chunk of source) {
      const own = chunk.subarray(0, length - stored);
      if (own.length < chunk.length) rest.push(chunk.subarray(own.length));
      if (own.length === 0) continue;
      stored += own.length;
      hash.update(own);
      await attempt(async () => await reader.write(own));
    }
    await attempt(async () => await reader.end());
  } catch (error) {
    if (!(error instanceof MissingObject)) throw error;
    problem = error.message;
    isMissing = true;
  } finally {
    reader.destroy();
  }
  return { stored, sha256: hash.digest('hex'), rest: Buffer.concat(rest), problem, isMissing };
}
