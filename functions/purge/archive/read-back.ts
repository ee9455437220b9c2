// Reads an object of an archive from S3 and compares it with what is recorded of it.
import { createHash } from 'node:crypto';
import { createMemberReader, DamagedMember, freeText } from '../../shared/archive-data/member-reader.ts';
import { MissingObject, readStored, type Source } from '../../shared/archive-data/read-stored.ts';

export interface RecordedObject {
  readonly key: string;
  readonly rows: number;
  readonly bytes: number;
  /** Of the stored bytes. */
  readonly sha256: string;
}

const NEWLINE = 10;
const TAB = 9;

/**
 * What of the object is not as recorded, in words without a value of a row; undefined when all of it is.
 *
 * `columns` is how many each row must have. Throws when S3 does not give the bytes, which says nothing about the object.
 */
export async function readBack(source: Source, object: RecordedObject, columns: number): Promise<string | undefined> {
  const hash = createHash('sha256');
  const counter = createRowCounter();
  const reader = createMemberReader({
    codec: 'gzip',
    take: (text) => {
      counter.push(text);
      freeText(text);
    },
  });
  let bytes = 0;
  try {
    // One more than there may be: a longer object is another one.
    for await (const chunk of readStored(source, object.key, 0, object.bytes + 1)) {
      bytes += chunk.length;
      hash.update(chunk);
      await reader.write(chunk);
    }
    await reader.end();
  } catch (error) {
    if (error instanceof MissingObject || error instanceof DamagedMember) return error.message;
    throw error;
  } finally {
    reader.destroy();
  }
  const sha256 = hash.digest('hex');
  if (bytes !== object.bytes) {
    return `it has ${bytes > object.bytes ? 'more than ' : ''}${Math.min(bytes, object.bytes)} bytes; it must be ${object.bytes}`;
  }
  if (sha256 !== object.sha256) return `its SHA-256 is ${sha256}; it must be ${object.sha256}`;
  const { rows, columns: found, isWhole } = counter.end();
  if (!isWhole || rows !== object.rows) return `it has ${rows} rows; it must be ${object.rows}`;
  return found === columns ? undefined : `its rows have ${found} columns; it must be ${columns}`;
}

/** In COPY text each row is one line, and a tab stands between two columns and nowhere else. */
function createRowCounter() {
  let rows = 0;
  let tabs = 0;
  let last = NEWLINE;
  return {
    push: (text: Buffer) => {
      if (text.length === 0) return;
      if (rows === 0) tabs += tabsOfFirstLine(text);
      for (let at = text.indexOf(NEWLINE); at !== -1; at = text.indexOf(NEWLINE, at + 1)) rows += 1;
      last = text.at(-1) ?? last;
    },
    end: () => ({ rows, columns: tabs + 1, isWhole: last === NEWLINE }),
  };
}

function tabsOfFirstLine(text: Buffer): number {
  const end = text.indexOf(NEWLINE);
  let tabs = 0;
  for (const byte of end === -1 ? text : text.subarray(0, end)) if (byte === TAB) tabs += 1;
  return tabs;
}
