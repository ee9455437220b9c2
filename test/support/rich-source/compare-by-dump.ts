// Compares two databases by what stock pg_dump says of them, as streams: no size is too large. Equal means equal in every
// byte but the random tokens of \restrict and \unrestrict.
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface DumpedDatabase {
  /** Folder of pg_dump. */
  clientDirectory: string;
  /** PGHOST, PGUSER and so on. */
  environment: Readonly<Record<string, string>>;
  /** Name of the database. */
  database: string;
  /** Of an exported snapshot; without it as the database is now. */
  snapshot?: string;
}

export interface DumpDifference {
  /** First byte that differs, tokens not counted. */
  at: number;
  /** The text around it, bytes that are no UTF-8 replaced. */
  expected: string;
  actual: string;
}

/** Bytes shown before and after the first difference. */
const SHOWN_BYTES = 200;
/** Longer than any line with a token. */
const LONGEST_TOKEN_LINE = 200;
const TOKEN_LINE = /^\\(?:un)?restrict [A-Za-z0-9]{63}$/;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;

/** The first difference of two dumps, or undefined; a file stands for the plain dump that it holds. */
export async function compareByDump(
  source: DumpedDatabase | { file: string },
  restored: DumpedDatabase,
): Promise<DumpDifference | undefined> {
  const expected = 'file' in source ? createReadStream(source.file) : plainDump(source);
  return await firstDifference(expected, plainDump(restored));
}

/** As compareByDump, with the lines of each COPY block sorted: for rows that were loaded by several sessions. */
export async function compareSortedDumps(
  source: DumpedDatabase,
  restored: DumpedDatabase,
): Promise<DumpDifference | undefined> {
  return await firstDifference(withSortedRows(plainDump(source)), withSortedRows(plainDump(restored)));
}

/** Each COPY block as one chunk of sorted lines: a block must fit into memory. */
async function* withSortedRows(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rows: string[] | undefined;
  let rest = '';
  for await (const chunk of chunks) {
    // One character for each byte: the order is that of the bytes.
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    const out: string[] = [];
    for (const line of lines) {
      if (rows !== undefined && line !== '\\.') rows.push(line);
      else {
        if (rows !== undefined) for (const row of rows.toSorted()) out.push(row);
        rows = rows === undefined && /^COPY .* FROM stdin;$/.test(line) ? [] : undefined;
        out.push(line);
      }
    }
    if (out.length > 0) yield Buffer.from(`${out.join('\n')}\n`, 'latin1');
  }
  if (rest !== '') yield Buffer.from(rest, 'latin1');
}

/** The plain dump of a database; throws pg_dump's own words when it does not end well. */
export async function* plainDump(dumped: DumpedDatabase): AsyncGenerator<Buffer> {
  const snapshot = dumped.snapshot === undefined ? [] : [`--snapshot=${dumped.snapshot}`];
  const pgDump = spawn(join(dumped.clientDirectory, 'pg_dump'), ['--no-password', ...snapshot, dumped.database], {
    env: { ...dumped.environment, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = text(pgDump.stderr);
  const ended = new Promise<number | null>((resolve) => {
    pgDump.once('close', resolve);
    pgDump.once('error', () => resolve(null));
  });
  try {
    for await (const chunk of pgDump.stdout) if (Buffer.isBuffer(chunk)) yield chunk;
    const exitCode = await ended;
    if (exitCode !== 0) throw new Error(`pg_dump of ${dumped.database} exited with code ${exitCode}: ${await said}`);
  } finally {
    pgDump.kill();
    await ended;
  }
}

/** The first difference of two dumps as streams; both are read at the same time and neither is kept. */
export async function firstDifference(
  expected: AsyncIterable<Buffer>,
  actual: AsyncIterable<Buffer>,
): Promise<DumpDifference | undefined> {
  const sides = [withoutTokens(expected), withoutTokens(actual)] as const;
  let left: Buffer = Buffer.alloc(0);
  let right: Buffer = Buffer.alloc(0);
  let before: Buffer = Buffer.alloc(0);
  let at = 0;
  try {
    for (;;) {
      if (left.length === 0) left = (await sides[0].next()).value ?? left;
      if (right.length === 0) right = (await sides[1].next()).value ?? right;
      const length = Math.min(left.length, right.length);
      if (left.length === 0 && right.length === 0) return undefined;
      if (length === 0 || !left.subarray(0, length).equals(right.subarray(0, length))) {
        const same = countSame(left, right);
        const around = Buffer.concat([before, left.subarray(0, same)]).subarray(-SHOWN_BYTES);
        const show = (side: Buffer) =>
          Buffer.concat([around, side.subarray(same, same + SHOWN_BYTES)]).toString('utf8');
        return { at: at + same, expected: show(left), actual: show(right) };
      }
      at += length;
      before = Buffer.concat([before, left.subarray(Math.max(0, length - SHOWN_BYTES), length)]).subarray(-SHOWN_BYTES);
      left = left.subarray(length);
      right = right.subarray(length);
    }
  } finally {
    // After a difference the rest is not wanted: both pg_dump are ended.
    await Promise.all(sides.map(async (side) => await side.return(undefined)));
  }
}

function countSame(left: Buffer, right: Buffer): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) if (left[index] !== right[index]) return index;
  return length;
}

/** The same bytes without the lines that hold a token; never an empty chunk. */
async function* withoutTokens(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
  let kept: Buffer = Buffer.alloc(0);
  let startsLine = true;
  for await (const chunk of chunks) {
    const bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    const { parts, rest, endsLine } = cut(bytes, startsLine, false);
    kept = rest;
    startsLine = endsLine;
    yield* parts;
  }
  yield* cut(kept, startsLine, true).parts;
  return undefined;
}

/** Parts between token lines; `rest` is the beginning of a line that may yet become one. */
function cut(bytes: Buffer, startsLine: boolean, isEnd: boolean) {
  const parts: Buffer[] = [];
  let from = 0;
  // Only lines that begin with a backslash are looked at; all others are passed over as fast as indexOf goes.
  for (let line = startsLine ? 0 : nextLine(bytes, 0); line !== -1; line = nextLine(bytes, line)) {
    if (bytes[line] !== BACKSLASH) continue;
    const newline = bytes.indexOf(NEWLINE, line);
    const end = newline === -1 ? bytes.length : newline;
    if (end - line >= LONGEST_TOKEN_LINE) continue;
    if (newline === -1 && !isEnd) {
      if (line > from) parts.push(bytes.subarray(from, line));
      return { parts, rest: bytes.subarray(line), endsLine: true };
    }
    if (TOKEN_LINE.test(bytes.toString('latin1', line, end))) {
      if (line > from) parts.push(bytes.subarray(from, line));
      from = Math.min(end + 1, bytes.length);
    }
  }
  if (from < bytes.length) parts.push(bytes.subarray(from));
  return { parts, rest: Buffer.alloc(0), endsLine: bytes.length === 0 ? startsLine : bytes.at(-1) === NEWLINE };
}

/** Where the next line begins that begins with a backslash, or -1. */
function nextLine(bytes: Buffer, from: number): number {
  const found = bytes.indexOf('\n\\', from);
  return found === -1 ? -1 : found + 1;
}
