// What a migration file must be before it is read as SQL: UTF-8 text with lines. Its line ends are made one kind here, and the
// place of an error is shown here. Pure; used by the migration-*.ts files and by whoever reads a folder of them.
import { JobFailure } from './job-failure.ts';

const BYTE_ORDER_MARK = '\uFEFF';
/** A line of a dump can be megabytes; this much around the place is enough to find it. */
const WIDEST_EXCERPT = 100;

/** The text of a file; throws `migrate.files_wrong` with the line and the offset of the first byte that is not UTF-8. */
export function decodeMigration(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const offset = isUtf16 ? 0 : firstWrongByte(bytes);
    const line = bytes.subarray(0, offset).filter((byte) => byte === 0x0a).length + 1;
    const value = `0x${(bytes[offset] ?? 0).toString(16).padStart(2, '0')}`;
    throw textWrong(
      isUtf16
        ? `${file}:1: is UTF-16, and must be UTF-8`
        : `${file}:${line}: byte ${offset} (${value}) is not UTF-8, and the file must be`,
      `save it as UTF-8, or: iconv -f ${isUtf16 ? 'UTF-16' : 'WINDOWS-1252'} -t UTF-8`,
      error,
    );
  }
}

/**
 * The text with LF for every CRLF, so that a file is the same migration however git has checked it out.
 *
 * Throws `migrate.files_wrong` for a byte order mark, which the server would take for a part of the first word, and for a NUL, at
 * which the parser would end.
 */
export function normaliseMigration(file: string, text: string): string {
  if (text.startsWith(BYTE_ORDER_MARK)) {
    throw textWrong(
      `${file}:1:1: begins with a byte order mark (EF BB BF)`,
      'save it as UTF-8 without BOM, or: sed -i "1s/^\\xEF\\xBB\\xBF//"',
    );
  }
  const nul = text.indexOf('\0');
  if (nul >= 0) {
    const { line, column } = placeOf(text.slice(0, nul));
    throw textWrong(`${file}:${line}:${column}: holds a NUL character`, 'remove it: PostgreSQL has no text with NUL');
  }
  return text.replaceAll('\r\n', '\n');
}

/** Where a character of the file is, given all the text before it. */
export function placeOf(before: string): { line: number; column: number } {
  const lines = before.split('\n');
  return { line: lines.length, column: Array.from(lines.at(-1) ?? '').length + 1 };
}

/** The first `count` characters as the server counts them: code points, not UTF-16 units. */
export function firstCharacters(text: string, count: number): string {
  return Array.from(text).slice(0, count).join('');
}

/**
 * The line of the text in which character `position` (code points, from 0) is, with a caret under it:
 *
 *     2 | create tabel x (id int);
 *       |        ^
 */
export function excerptOf(text: string, position: number, firstLine = 1): string {
  const { line, column } = placeOf(firstCharacters(text, position));
  const characters = Array.from(text.split('\n')[line - 1] ?? '').map((one) => (one === '\t' ? ' ' : one));
  const from = Math.max(0, Math.min(column - 1 - WIDEST_EXCERPT / 2, characters.length - WIDEST_EXCERPT));
  const shown = characters.slice(from, from + WIDEST_EXCERPT).join('');
  const number = String(firstLine + line - 1);
  const cut = from > 0 ? '…' : '';
  const caret = ' '.repeat(cut.length + column - 1 - from);
  return `${number.padStart(5)} | ${cut}${shown}\n${' '.repeat(5)} | ${caret}^`;
}

/** The offset of the first byte of what is no character. */
function firstWrongByte(bytes: Uint8Array): number {
  // As a stream, so that a character that the prefix cuts is only left out.
  const textOf = (length: number) => {
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return decoder.decode(bytes.subarray(0, length), { stream: true });
    } catch {
      return undefined;
    }
  };
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (textOf(middle) === undefined) bad = middle;
    else good = middle;
  }
  return Buffer.byteLength(textOf(good) ?? '', 'utf8');
}

function textWrong(problem: string, hint: string, cause?: unknown): JobFailure {
  return new JobFailure({ code: 'migrate.files_wrong', problem, safeState: 'No migration was run', hint, cause });
}
