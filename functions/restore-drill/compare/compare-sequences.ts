// Compares the values of the restored sequences with the manifest; what they were made with is in the inventory.
import type { BackupManifest } from '../../shared/backup-manifest.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { type Comparison, comparison } from './comparison.ts';

/** Last value and whether it was given out, of each sequence of the manifest. */
export async function compareSequences(
  session: DatabaseSession,
  { sequences }: BackupManifest,
  signal: AbortSignal,
): Promise<Comparison> {
  const listed = await session.query<{ schema: string; name: string }>(readSqlFile('restore-drill/sequences.sql'));
  const present = new Set(listed.rows.map((row) => quoteQualified(row.schema, row.name)));
  const differences: Comparison['differences'] = [];
  for (const sequence of sequences) {
    signal.throwIfAborted();
    const qualified = quoteQualified(sequence.schema, sequence.name);
    const expected = `${sequence.lastValue}${sequence.isCalled ? '' : ' (not called)'}`;
    const actual = present.has(qualified) ? await valueOf(session, qualified) : 'no such sequence';
    if (actual !== expected) differences.push({ what: `sequence ${qualified}`, expected, actual });
  }
  return comparison({ differences, compared: { sequences: sequences.length } });
}

async function valueOf(session: DatabaseSession, qualified: string): Promise<string> {
  const { rows } = await session.query<{ last_value: string; is_called: boolean }>(
    `select last_value::text, is_called from ${qualified}`,
  );
  return `${rows[0]?.last_value}${rows[0]?.is_called ? '' : ' (not called)'}`;
}
