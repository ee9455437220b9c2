// Reads the content of large objects straight from pg_largeobject, in the transaction of the session: lo_get would need
// a right on each object. Never holds more than a few MiB.
import type { DatabaseSession } from '../../shared/database.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

/** LOBLKSIZE of a server with pages of 8 KiB. */
const PAGE_BYTES = 2_048;
/** Pages in one answer: 2 MiB of content, which take twice as much on the wire as hex. */
const WINDOW_PAGES = 1_024;
/** OIDs in one statement. */
const OIDS_AT_ONCE = 1_000;
/** A hole may be terabytes long. */
const ZEROS = Buffer.alloc(1_048_576);

interface Page {
  pageno: number;
  data: Buffer;
}

export interface LargeObjectContent {
  oid: number;
  /** An upper bound of its size, holes counted. */
  mostBytes: number;
  /** Read it to its end before the next object. */
  content: AsyncIterable<Buffer>;
}

/** The objects in order of OID, the small ones many to a query; an object that does not exist has no content. */
export async function* readLargeObjects(
  session: DatabaseSession,
  oids: readonly number[],
): AsyncGenerator<LargeObjectContent> {
  const inOrder = oids.toSorted((a, b) => a - b);
  for (let from = 0; from < inOrder.length; from += OIDS_AT_ONCE) {
    const { rows } = await session.query<{ oid: string; last_page: number | null }>(
      readSqlFile('backup/large-object-last-pages.sql'),
      [inOrder.slice(from, from + OIDS_AT_ONCE)],
    );
    for (const group of groupSmall(
      rows.map(({ oid, last_page }) => ({ oid: Number(oid), pages: (last_page ?? -1) + 1 })),
    )) {
      const [first] = group;
      if (group.length === 1 && first && first.pages > WINDOW_PAGES) {
        yield {
          oid: first.oid,
          mostBytes: first.pages * PAGE_BYTES,
          content: fillHoles(readWindows(session, first.oid)),
        };
      } else {
        yield* readTogether(session, group);
      }
    }
  }
}

interface Sized {
  oid: number;
  pages: number;
}

/** Neighbours that have at most one window of pages together. */
function groupSmall(objects: readonly Sized[]): Sized[][] {
  const groups: Sized[][] = [];
  let room = 0;
  for (const object of objects) {
    const group = groups.at(-1);
    if (group && object.pages <= room) group.push(object);
    else {
      groups.push([object]);
      room = WINDOW_PAGES;
    }
    room -= object.pages;
  }
  return groups;
}

async function* readTogether(session: DatabaseSession, group: readonly Sized[]): AsyncGenerator<LargeObjectContent> {
  const { rows } = await session.query<Page & { oid: string }>(readSqlFile('backup/small-large-objects.sql'), [
    group.map(({ oid }) => oid),
  ]);
  const byOid = Map.groupBy(rows, ({ oid }) => Number(oid));
  for (const { oid, pages } of group)
    yield { oid, mostBytes: pages * PAGE_BYTES, content: fillHoles([byOid.get(oid) ?? []]) };
}

async function* readWindows(session: DatabaseSession, oid: number): AsyncGenerator<readonly Page[]> {
  for (let from = 0; ; ) {
    const { rows } = await session.query<Page>(readSqlFile('backup/large-object-pages.sql'), [oid, from, WINDOW_PAGES]);
    yield rows;
    if (rows.length < WINDOW_PAGES) return;
    from = (rows.at(-1)?.pageno ?? 0) + 1;
  }
}

/** The content of pages in order: what lies between them is zeros, as the server itself reads it. */
async function* fillHoles(windows: Iterable<readonly Page[]> | AsyncIterable<readonly Page[]>): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const window of windows) {
    for (const { pageno, data } of window) {
      for (const start = pageno * PAGE_BYTES; at < start; ) {
        const zeros = ZEROS.subarray(0, start - at);
        yield zeros;
        at += zeros.length;
      }
      if (data.length > 0) yield data;
      at += data.length;
    }
  }
}
