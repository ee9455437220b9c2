// Gives the materialized views of the copy contents where they have some live: pg_dump of a schema leaves them without.
import type { DatabaseSession } from '../../shared/database.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { NotCopied } from '../scratch/copy-schema.ts';
import { inSavepoint } from '../scratch/insert-rows.ts';

/** Those that could not be filled; they keep their definition. */
export async function populateViews(live: DatabaseSession, session: DatabaseSession): Promise<NotCopied[]> {
  const { rows } = await live.query<{ schema: string; name: string }>(readSqlFile('migrate/populated-views.sql'));
  const notCopied: NotCopied[] = [];
  await session.query('begin');
  for (const { schema, name } of rows) {
    const view = quoteQualified(schema, name);
    const { refusal } = await inSavepoint(session, `refresh materialized view ${view}`);
    if (refusal !== undefined) notCopied.push({ what: `contents of materialized view ${view}`, reason: refusal });
  }
  await session.query('commit');
  return notCopied;
}
