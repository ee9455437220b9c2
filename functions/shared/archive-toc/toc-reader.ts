// Reads pg_dump's table of contents as its bytes come from a pipe or a file; called before any row of a backup is read.
// Never takes memory because a field claims to be long, and never gives an incomplete table of contents.
import { type ByteQueue, createByteQueue } from './byte-queue.ts';
import { createSameValues, readEntry, SHORTEST_ENTRY_BYTES } from './entry-reader.ts';
import type { Toc, TocEntry } from './toc-entry.ts';
import { DamagedField, inFigures, tocFailure } from './toc-failure.ts';
import { type Reading, readInt } from './toc-fields.ts';
import { readTocHeader } from './toc-header.ts';

export interface TocReader {
  /**
   * Takes the next bytes; gives the table of contents once the first data of a custom-format archive has begun.
   *
   * Until then, and always for a toc.dat and for an archive without any data, gives undefined: then `end` decides.
   * Throws `client_tools.failed` for bytes that pg_dump of a known version does not write; once thrown, always thrown.
   */
  push(chunk: Uint8Array): Toc | undefined;
  /** Says that no more bytes come; throws `client_tools.failed` when more would have had to come. */
  end(): Toc;
  readonly progress: Readonly<TocProgress>;
}

export interface TocProgress {
  /** Bytes of the table of contents read so far; each is read once. */
  bytesRead: number;
  /** All copying so far, in bytes. */
  bytesCopied: number;
  entriesRead: number;
}

/** The largest table of contents that is read when the caller says nothing: 1 GiB. */
const DEFAULT_MAX_BYTES = 1_073_741_824;
/** Data in a custom-format archive begins with its kind and the dump ID of its entry. */
const DATA_BLOCK_HEAD_BYTES = 6;
const TABLE_BLOCK = 1;
const LARGE_OBJECT_BLOCK = 3;

/** A reader for one archive; `maxBytes` limits the table of contents and with it the memory. */
export function createTocReader({ maxBytes = DEFAULT_MAX_BYTES }: { maxBytes?: number } = {}): TocReader {
  const waiting = createByteQueue();
  const progress: TocProgress = { bytesRead: 0, bytesCopied: 0, entriesRead: 0 };
  const reading = readToc(progress, maxBytes);
  let needed = 0;
  let whole: Toc | undefined;
  let complete: Toc | undefined;
  let refused: unknown;

  function readOn(): void {
    while (whole === undefined && waiting.length >= needed) {
      // The first step takes no bytes: it only starts the generator.
      const step = reading.next(waiting.take(needed));
      progress.bytesRead += needed;
      if (step.done) {
        whole = { ...step.value, bytes: progress.bytesRead };
        return;
      }
      needed = step.value;
      if (progress.bytesRead + needed > maxBytes) {
        const reach = inFigures(progress.bytesRead + needed);
        throw new DamagedField(
          `it would reach to byte ${reach} but at most ${inFigures(maxBytes)} bytes are read`,
          'allow a larger table of contents, with as much memory',
        );
      }
    }
  }

  function refuse(error: unknown): never {
    refused = error instanceof DamagedField ? tocFailure(`${placeOf(progress)}: ${error.message}`, error.hint) : error;
    throw refused;
  }

  return {
    get progress() {
      return { ...progress, bytesCopied: waiting.bytesCopied };
    },
    push: (chunk) => {
      if (refused !== undefined) throw refused;
      if (complete !== undefined) return complete;
      try {
        waiting.append(chunk);
        readOn();
        if (whole !== undefined && dataHasBegun(whole, waiting)) complete = whole;
        return complete;
      } catch (error) {
        return refuse(error);
      }
    },
    end: () => {
      if (refused !== undefined) throw refused;
      if (complete !== undefined) return complete;
      if (whole !== undefined && !isFollowedByData(whole)) {
        complete = whole;
        return complete;
      }
      const missing = whole === undefined ? 'before the table of contents was whole' : 'before the data began';
      return refuse(
        new DamagedField(`the archive ended ${missing}, with ${inFigures(waiting.length)} bytes of the next field`),
      );
    },
  };
}

function* readToc(progress: TocProgress, maxBytes: number): Reading<Omit<Toc, 'bytes'>> {
  const header = yield* readTocHeader();
  const room = Math.max(1, Math.floor((maxBytes - progress.bytesRead) / SHORTEST_ENTRY_BYTES));
  const count = yield* readInt('the number of entries', 1, room);
  const entries: TocEntry[] = [];
  const same = createSameValues();
  const dumpIds = new Set<number>();
  while (entries.length < count) {
    const entry = yield* readEntry(header, same);
    if (dumpIds.has(entry.dumpId)) throw new DamagedField(`the dump ID ${entry.dumpId} is there twice`);
    dumpIds.add(entry.dumpId);
    entries.push(entry);
    progress.entriesRead = entries.length;
  }
  return { header, entries };
}

/**
 * Whether the first data block has come, which proves that no entry was left out: a number of entries that is too small
 * would end the reading in the middle of the table of contents.
 */
function dataHasBegun(toc: Toc, waiting: ByteQueue): boolean {
  if (!isFollowedByData(toc)) {
    if (waiting.length > 0) throw new DamagedField('bytes follow the last entry but none must');
    return false;
  }
  if (waiting.length < DATA_BLOCK_HEAD_BYTES) return false;
  const head = waiting.take(DATA_BLOCK_HEAD_BYTES);
  const [kind = 0, sign = 0] = head;
  const dumpId = head.readUInt32LE(2);
  const entry = toc.entries.find((one) => one.hasData && one.dumpId === dumpId);
  const expected = entry?.desc === 'BLOBS' ? LARGE_OBJECT_BLOCK : TABLE_BLOCK;
  if (entry === undefined || sign !== 0 || kind !== expected) {
    throw new DamagedField(
      `after the last entry come the bytes ${head.toString('hex')} but the data of an entry must begin there`,
    );
  }
  return true;
}

function isFollowedByData({ header, entries }: Toc): boolean {
  return header.format === 'custom' && entries.some(({ hasData }) => hasData);
}

function placeOf({ bytesRead, entriesRead }: TocProgress): string {
  return `pg_dump's table of contents is not as it must be at byte ${inFigures(bytesRead)}, after ${inFigures(entriesRead)} entries`;
}
