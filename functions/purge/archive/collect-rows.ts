// The rows that a statement removes, as one gzip member in memory. Only archive-rows.ts calls it.
import { createMemberWriter } from '../../shared/archive-data/member-writer.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { archiveFailure } from './archive-failure.ts';

/**
 * A batch has at most 100,000 rows, so this is 2.6 KB of compressed text for each of them. It is held twice for a moment,
 * which fits into a function of 1 GB.
 */
const MOST_BYTES = 256 * 1_048_576;

/**
 * Runs COPY with the statement and compresses its text, of which the bytes depend on the text alone.
 *
 * An error of the server leaves the session usable; whoever aborts or exceeds the limit ends it, and with it the transaction.
 */
export async function collectRows(
  session: DatabaseSession,
  statement: string,
  { signal, mostBytes = MOST_BYTES }: { signal: AbortSignal; mostBytes?: number },
): Promise<{ rows: number; stored: Buffer }> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const writer = createMemberWriter({
    codec: 'gzip',
    content: 'rows',
    take: async (compressed) => {
      for (const piece of compressed) {
        bytes += piece.length;
        pieces.push(piece);
      }
      if (bytes > mostBytes) throw tooLarge(bytes, mostBytes);
    },
  });
  try {
    const copy = `copy (${statement}) to stdout with (format text, encoding 'UTF8')`;
    const { rows } = await session.copyOut(copy, { signal, take: (text) => writer.write(text) });
    await writer.finish();
    return { rows, stored: Buffer.concat(pieces) };
  } finally {
    writer.destroy();
  }
}

function tooLarge(bytes: number, most: number): Error {
  const size = (count: number) => `${Math.floor(count / 1_048_576)} MiB`;
  return archiveFailure(
    `the rows of one batch are more than ${size(bytes)} of compressed text; it must be ${size(most)} at most`,
    'lower batch_rows of the policy',
  );
}
