// Writes a stream of small pieces to a new file in few large writes. A write per network read (64 KiB) would cost more
// in hand-overs to the thread pool than in writing.
import { type FileHandle, open, rm } from 'node:fs/promises';

export interface PieceWriter {
  readonly write: (piece: Buffer) => Promise<void>;
}

const batchBytes = 1024 ** 2;

/** Runs `produce` with a writer to a new file; removes the file when anything throws. */
export async function writePieces<T>(file: string, produce: (writer: PieceWriter) => Promise<T>): Promise<T> {
  const handle = await open(file, 'wx');
  let waiting: Buffer[] = [];
  let bytes = 0;
  const flush = async () => {
    const batch = waiting;
    waiting = [];
    bytes = 0;
    await writeAll(handle, batch);
  };
  try {
    const result = await produce({
      write: async (piece) => {
        waiting.push(piece);
        bytes += piece.length;
        if (bytes >= batchBytes) await flush();
      },
    });
    await flush();
    return result;
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, batch: readonly Buffer[]): Promise<void> {
  const total = batch.reduce((sum, piece) => sum + piece.length, 0);
  if (total === 0) return;
  const { bytesWritten } = await handle.writev(batch);
  if (bytesWritten === total) return;
  // A write takes fewer bytes than given when the disk is nearly full; the next one then says so.
  const rest = Buffer.concat(batch).subarray(bytesWritten);
  for (let done = 0; done < rest.length; ) done += (await handle.write(rest, done)).bytesWritten;
}
