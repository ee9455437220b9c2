// The proof after each run, as superuser and without any code of purge: a deletion that was fast because it left rows does not count.
import type { Client } from 'pg';
import type { TableKind } from './cases.ts';

/** Throws unless all rows past retention are gone, with those that lead to them, and no other row is. */
export async function provePurge(
  client: Pick<Client, 'query'>,
  { rows, expired }: { rows: number; expired: number },
  tables: TableKind,
): Promise<void> {
  const events = await client.query<{ left: string; live: string }>(
    'select count(*) filter (where id <= $1) as left, count(*) filter (where id > $1 and id <= $2) as live from app.event',
    [expired, rows],
  );
  const items =
    tables === 'fk'
      ? (await client.query<{ left: string }>('select count(*) as left from app.item')).rows[0]
      : undefined;
  const { left, live } = events.rows[0] ?? {};
  const children = items?.left ?? '0';
  if (left === '0' && live === String(rows - expired) && children === '0') return;
  throw new Error(
    `${left} rows past retention and ${children} that lead to them are left instead of none, and ${live} of the ${rows - expired} others`,
  );
}
