// Looks for restored tables that the backup has no rows for: too many, or emptied by a filter.
import type { BackupManifest } from '../../shared/backup-manifest.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { type Comparison, comparison } from './comparison.ts';

/** A table that is not in the manifest is a difference; one whose rows a filter left out must be empty. */
export async function compareOtherTables(
  session: DatabaseSession,
  { tables, excluded }: BackupManifest,
): Promise<Comparison> {
  const known = new Set(tables.map(({ schema, name }) => quoteQualified(schema, name)));
  const listed = await session.query<{ schema: string; name: string }>(readSqlFile('restore-drill/tables.sql'));
  const others = listed.rows
    .map(({ schema, name }) => quoteQualified(schema, name))
    .filter((qualified) => !known.has(qualified));
  const differences: Comparison['differences'] = [];
  for (const qualified of others) {
    const what = `table ${qualified}`;
    if (!excluded.includes(`rows of table ${qualified}`)) {
      differences.push({ what, expected: 'no such table', actual: 'present' });
      continue;
    }
    const rows = await countRows(session, qualified);
    if (rows !== '0') differences.push({ what, expected: '0 rows', actual: `${rows} rows` });
  }
  return comparison({ differences });
}

async function countRows(session: DatabaseSession, qualified: string): Promise<string> {
  await session.query('begin');
  try {
    await session.query(`alter table ${qualified} no force row level security`);
    const { rows } = await session.query<{ rows: string }>(`select count(*)::text as rows from only ${qualified}`);
    return rows[0]?.rows ?? '';
  } finally {
    await session.query('rollback').catch(() => {});
  }
}
