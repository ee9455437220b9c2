// A table by the name that a person has given.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

/** Its oid; throws `purge.refused` when there is none, or several and no schema is said. `what` it is goes into the hint. */
export async function findTable(
  session: DatabaseSession,
  { schema, table }: { schema?: string | undefined; table: string },
  what: string,
): Promise<string> {
  const { rows } = await session.query<{ table_oid: string; schema_name: string }>(
    readSqlFile('purge/find-table.sql'),
    [schema ?? null, table],
  );
  const [first] = rows;
  if (first !== undefined && rows.length === 1) return first.table_oid;
  const wanted = schema === undefined ? table : `${schema}.${table}`;
  if (first === undefined) throw refuse(`there is no table "${wanted}"`, `name ${what}, with its schema`);
  throw refuse(
    `table "${wanted}" is in several schemas: ${rows.map((row) => row.schema_name).join(', ')}`,
    'name the schema too',
  );
}

function refuse(problem: string, hint: string): JobFailure {
  return new JobFailure({ code: 'purge.refused', problem, safeState: 'Nothing was deleted', hint });
}
