// Lets stock pg_restore read a table of contents: the proof that does not depend on our own reader.
import { createInterface } from 'node:readline';
import { runPgRestore } from '../shared/archive-toc/run-pg-restore.ts';
import type { ClientTools } from '../shared/postgres-client-tools.ts';

export interface ListedArchive {
  /** As pg_restore counts them. */
  entries: number;
  tables: number;
}

/**
 * Counts what `pg_restore --list` shows of the archive in `folder`, or gives the words with which it refuses it.
 *
 * Throws `client_tools.failed` when the program itself could not run: that says nothing about the archive.
 */
export async function listArchive(
  tools: ClientTools,
  folder: string,
  signal: AbortSignal,
): Promise<ListedArchive | { refusal: string }> {
  const listed = await runPgRestore(
    tools,
    ['--list', folder],
    async (output) => {
      const counts = { entries: 0, tables: 0 };
      for await (const line of createInterface({ input: output, crlfDelay: Infinity })) {
        const counted = /^;\s+TOC Entries: (\d+)$/.exec(line)?.[1];
        if (counted !== undefined) counts.entries = Number(counted);
        if (/^\d+; \d+ \d+ TABLE DATA /.test(line)) counts.tables += 1;
      }
      return counts;
    },
    {
      signal,
      during: 'while it listed the table of contents',
      safeState: 'Nothing is said about the backup, which was not changed',
    },
  );
  return 'output' in listed ? listed.output : listed;
}
