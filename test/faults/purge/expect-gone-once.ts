// What must hold of the rows of a family-world after a purge was broken off, and after the next one has come to its end.
import { expect } from 'vitest';
import { parseCertificate } from '../../../functions/purge/certificate/certificate.ts';
import { type FamilyWorld, type Lines, TABLES } from './family-world.ts';

export interface Before {
  readonly covered: Lines;
  readonly others: Lines;
}

export async function readBefore(world: FamilyWorld): Promise<Before> {
  return { covered: await world.lines('covered'), others: await world.lines('others') };
}

/** Nothing but rows of the policy is gone or changed; a note may have lost its event. Answers how many events there are. */
export async function expectNothingElseGone(world: FamilyWorld, { covered, others }: Before): Promise<number> {
  const now = await world.lines('all');
  const gone = TABLES.flatMap((table) => {
    const present = new Set(now[table]);
    return others[table].filter((line) => !present.has(line)).map((line) => `${table} ${line}`);
  });
  expect(gone).toEqual([]);
  expect(now.note).toHaveLength(covered.note.length + others.note.length);
  return now.event.length;
}

interface Counts {
  done: number;
  children: Record<string, { deleted: number; changed: number }>;
  archived: number;
}

/** What was covered is gone, once: by the table, by the records, by the certificates and by the archive. */
export async function expectAllGoneOnce(
  world: FamilyWorld,
  { covered, others }: Before,
  { archive = true } = {},
): Promise<void> {
  const now = await world.lines('all');
  const unlinked = covered.note.map((line) => line.replace(/\t\d+\t/, '\t\\N\t'));
  expect(now).toEqual({ ...others, note: [...others.note, ...unlinked].toSorted() });

  const { event, item, detail } = covered;
  const children = {
    'app.detail': { deleted: detail.length, changed: 0 },
    'app.item': { deleted: item.length, changed: 0 },
    'app.note': { deleted: 0, changed: covered.note.length },
  };
  const archived = archive ? event.length + item.length + detail.length : 0;
  expect(await recorded(world)).toEqual({ done: event.length, children, archived });
  expect(await certified(world)).toEqual({ done: event.length, children, archived });
  expect(await world.archived()).toEqual(archive ? { event, item, detail } : {});
}

async function recorded(world: FamilyWorld): Promise<Counts> {
  const { rows } = await world.fresh.query<{ done: number; by_table: Counts['children']; archived: number }>(`
    select
      (select sum(rows_done)::int from nightshift.purge_run) as done,
      (select sum(row_count)::int from nightshift.purge_object) as archived,
      (
        select jsonb_object_agg(name, counts)
        from (
          select name, jsonb_build_object('deleted', sum((one ->> 'deleted')::int), 'changed', sum((one ->> 'changed')::int)) as counts
          from nightshift.purge_run, jsonb_each(rows_by_table) as by_table (name, one)
          group by name
        ) as summed
      ) as by_table`);
  const [row] = rows;
  return { done: row?.done ?? 0, children: row?.by_table ?? {}, archived: row?.archived ?? 0 };
}

/** Of every series: one that was finished before the kill is followed by one that finds nothing. */
async function certified(world: FamilyWorld): Promise<Counts> {
  const { rows } = await world.fresh.query<{ certificate_key: string | null; done: number }>(`
    select max(certificate_key) as certificate_key, sum(rows_done)::int as done
    from nightshift.purge_run group by coalesce(series_id, purge_run_id)`);
  const counts: Counts = { done: 0, children: {}, archived: 0 };
  for (const { certificate_key: key, done } of rows) {
    const certificate = parseCertificate(key ?? '', (await world.store.getText(key ?? '')) ?? '');
    expect(certificate.rows.done).toBe(done);
    expect(certificate).toMatchObject({ outcome: 'kept back', rows: { left: 2, held: 1, referenced: 1 } });
    counts.done += certificate.rows.done;
    counts.archived += certificate.archive?.rows ?? 0;
    for (const { table, deleted, changed } of certificate.children) {
      const known = counts.children[table] ?? { deleted: 0, changed: 0 };
      counts.children[table] = { deleted: known.deleted + deleted, changed: known.changed + changed };
    }
  }
  return counts;
}
