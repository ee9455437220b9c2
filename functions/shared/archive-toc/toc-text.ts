// Turns names of a table of contents into text. Names of tables become part of SQL, so a guess is never good enough.
import type { Toc } from './toc-entry.ts';
import { tocFailure } from './toc-failure.ts';

/** The encoding that the archive declares, as PostgreSQL calls it (`UTF8`); throws `client_tools.failed` when it says none. */
export function archiveEncoding({ entries }: Toc): string {
  const declared = entries.find(({ desc }) => desc === 'ENCODING')?.definition?.toString('latin1') ?? '';
  const encoding = /^SET client_encoding = '(\w+)';\n$/.exec(declared)?.[1];
  if (encoding === undefined) {
    throw tocFailure(
      `the table of contents says ${JSON.stringify(declared.slice(0, 100))} for its encoding but must say "SET client_encoding = …"`,
    );
  }
  return encoding;
}

/**
 * Reads names of this table of contents as text.
 *
 * In an encoding other than UTF8 only ASCII names are read: the same bytes would be another name on a UTF8 connection.
 */
export function createTocText(toc: Toc): (bytes: Buffer) => string {
  const encoding = archiveEncoding(toc);
  // A byte order mark at the start of a name is part of the name.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (bytes) => {
    try {
      if (encoding === 'UTF8' || bytes.every((byte) => byte < 0x80)) return decoder.decode(bytes);
    } catch {
      // Refused below, with the same words as a name in another encoding.
    }
    throw tocFailure(
      `a name with the bytes ${bytes.subarray(0, 64).toString('hex')} in an archive of encoding ${encoding} cannot be read; it must be UTF8`,
      'start pg_dump with --encoding=UTF8',
    );
  };
}
