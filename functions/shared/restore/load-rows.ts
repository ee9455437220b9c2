// Loads the rows of a table, or of some of its ranges, from S3 into the server: one COPY, committed together with its record.

import { freeText } from '../archive-data/member-reader.ts';
import type { Source } from '../archive-data/read-stored.ts';
import { type CheckedMembers, DamagedStored, storedText } from '../archive-data/stored-text.ts';
import type { DumpedTable } from '../archive-toc/dumped-tables.ts';
import type { BackupManifest } from '../backup-manifest.ts';
import type { DatabaseSession } from '../database.ts';
import { quoteIdentifier, quoteQualified } from '../quote-identifier.ts';
import { ArchiveDamage } from './archive-damage.ts';
import { recordStep } from './restore-records.ts';

export interface RowsStep {
  /** In the records. */
  name: string;
  table: DumpedTable;
  /** In the manifest. */
  stored: BackupManifest['tables'][number];
  /** Indexes of neighbouring ranges. */
  ranges: readonly number[];
  /**
   * Whether this restore made the table and these are all its rows: then it is emptied first, which lets the server write
   * the rows frozen, and in the order of the archive.
   */
  isWholeOfOwnTable: boolean;
}

/** Loads the step; true when another session had done it. Throws ArchiveDamage, and then nothing of it is committed. */
export async function loadRows(
  session: DatabaseSession,
  step: RowsStep,
  { source, manifest, encoding }: { source: Source; manifest: BackupManifest; encoding: string },
): Promise<void> {
  const { table, stored } = step;
  const qualified = quoteQualified(table.schema, table.name);
  const ranges = step.ranges.flatMap((index) => stored.ranges[index] ?? []);
  await session.query('begin');
  if (!(await recordStep(session, step.name))) {
    await session.query('rollback');
    return;
  }
  if (step.isWholeOfOwnTable) await session.query(`truncate only ${qualified}`);
  const columns = table.columns.length === 0 ? '' : ` (${table.columns.map(quoteIdentifier).join(', ')})`;
  const options = [
    ...(step.isWholeOfOwnTable ? ['freeze'] : []),
    // The client's own is UTF8; bytes of no known encoding go in as they are.
    ...(encoding === 'UTF8' ? [] : [`encoding '${encoding}'`]),
  ];
  const how = options.length === 0 ? '' : ` with (${options.join(', ')})`;
  const expected = ranges.reduce((sum, { rows }) => sum + rows, 0);
  try {
    const { rows } = await session.copyIn(`copy ${qualified}${columns} from stdin${how}`, {
      text: storedText({ source, codec: manifest.codec, key: stored.key, members: ranges satisfies CheckedMembers[] }),
      onSent: freeText,
      signal: source.signal,
    });
    if (rows !== expected) throw new DamagedStored(ranges[0]?.offset ?? 0, `${expected} rows`, `${rows} rows`);
  } catch (error) {
    if (!(error instanceof DamagedStored)) throw error;
    const what = `rows of table ${qualified}, from byte ${error.offset} of "${stored.key}"`;
    throw new ArchiveDamage(manifest.backupId, [{ what, expected: error.expected, actual: error.actual }]);
  }
  await session.query(
    'update nightshift_restore.step set row_count = $2, ended_at = clock_timestamp() where name = $1',
    [step.name, expected],
  );
  await session.query('commit');
}
