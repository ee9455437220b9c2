import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBatchSize } from '../../../functions/purge/batch/batch-size.ts';
import { all, any } from '../../../functions/purge/batch/conditions.ts';
import { readCursor, storedCursor } from '../../../functions/purge/batch/cursor.ts';
import { createParameters } from '../../../functions/purge/batch/parameters.ts';
import { halvesOf, rowSetOf, unionOf, without } from '../../../functions/purge/batch/row-set.ts';
import type { RowWork } from '../../../functions/purge/batch/row-work.ts';
import {
  countStatement,
  deleteReturningStatement,
  deleteStatement,
  takeStatement,
} from '../../../functions/purge/batch/statements.ts';
import { familyOf } from '../../../functions/purge/links/family.ts';
import { graphOf, link, tableFacts } from './purge-facts.ts';

const setOf = (places: readonly string[]) =>
  rowSetOf({
    rows: places.length,
    row_tables: `{${places.map(() => '16401').join(',')}}`,
    row_places: `{${places.map((place) => `"${place}"`).join(',')}}`,
  });

describe('createBatchSize', () => {
  const options = { start: 5_000, most: undefined, targetMs: 100 };

  test('batches are short: it grows to the most, in steps', () => {
    const size = createBatchSize(options);
    const seen = [size.rows];
    for (let n = 0; n < 200; n += 1) {
      size.after({ ms: 10, rows: size.rows, waiters: 0 });
      seen.push(size.rows);
    }

    expect(seen[1]).toBe(9_000);
    expect(size.rows).toBe(100_000);
  });

  test.each([
    ['too long', { ms: 101, waiters: 0 }],
    ['short, but somebody waited', { ms: 5, waiters: 1 }],
  ])('a batch was %s: half as many, never none', (_, batch) => {
    const size = createBatchSize(options);
    size.after({ ...batch, rows: 5_000 });

    expect(size.rows).toBe(2_500);
    for (let n = 0; n < 50; n += 1) size.after({ ...batch, rows: size.rows });
    expect(size.rows).toBe(50);
  });

  test('near the target, or with fewer rows than it may take: as it was', () => {
    const size = createBatchSize(options);
    size.after({ ms: 90, rows: 5_000, waiters: 0 });
    size.after({ ms: 1, rows: 12, waiters: 0 });

    expect(size.rows).toBe(5_000);
  });

  test('a policy that allows 7: never more; halved by a cancelled statement only while it can be', () => {
    const size = createBatchSize({ ...options, most: 7 });
    size.after({ ms: 1, rows: 7, waiters: 0 });

    expect(size.rows).toBe(7);
    expect(size.halve()).toBe(false);
  });

  test('time grows with the rows: it stays around the target', () => {
    const size = createBatchSize(options);
    const times: number[] = [];
    for (let n = 0; n < 300; n += 1) {
      const ms = size.rows / 200;
      times.push(ms);
      size.after({ ms, rows: size.rows, waiters: 0 });
    }

    expect(Math.max(...times)).toBeLessThan(130);
    expect(times.slice(100).reduce((sum, ms) => sum + ms, 0) / 200).toBeGreaterThan(60);
  });
});

describe('sets of rows', () => {
  const places = fc.uniqueArray(
    fc.tuple(fc.nat(1e6), fc.nat(300)).map(([block, line]) => `(${block},${line})`),
    { minLength: 1 },
  );

  test('halves together are the set, and each once', () => {
    fc.assert(
      fc.property(places, (some) => {
        const [first, second] = halvesOf(setOf(some));

        expect(first.rows + second.rows).toBe(some.length);
        expect(unionOf([first, second])).toEqual(unionOf([setOf(some), setOf(some)]));
      }),
    );
  });

  test('what is known is left out; nothing is an empty array of the server', () => {
    expect(without(setOf(['(0,1)', '(0,2)']), setOf(['(0,1)']))).toEqual(setOf(['(0,2)']));
    expect(rowSetOf({ rows: 0, row_tables: null, row_places: null })).toEqual({ rows: 0, tables: '{}', places: '{}' });
  });
});

describe('statements', () => {
  const table = tableFacts({ table_oid: 'event', qualified: '"app"."ev""ent"' });
  const family = familyOf(graphOf([link('bill > event', 'restrict')]), 'event');
  if ('cycle' in family) throw new RangeError('there is a circle');
  const bill = tableFacts({ table_oid: 'bill', table_name: 'bill' });
  const work: RowWork = {
    table,
    family,
    graph: graphOf([]),
    tables: new Map([
      ['event', table],
      ['bill', bill],
    ]),
    scope: (parameters) => `t."created_at" < ${parameters.add('2020-01-01')}::timestamptz and (note <> '{keys}')`,
    order: [
      { sql: 't."created_at"', type: 'timestamp with time zone' },
      { sql: 't."i d"', type: 'bigint' },
    ],
    isDated: true,
    countsAs: 'rows',
    action: 'delete',
    assignments: undefined,
    archive: undefined,
  };
  const holds = { graph: work.graph, tables: work.tables, holds: [] };

  test('a batch goes on after a position, leaves out what is referenced, and passes over what is locked', () => {
    const { sql, values } = takeStatement(work, { holds, after: ['2019-01-01', '7'], waits: false, limit: 10 }, 'lock');

    expect(sql).toContain('from "app"."ev""ent" as t');
    expect(sql).toContain("(note <> '{keys}')");
    expect(sql).toContain('((t."created_at", t."i d") > ($2::timestamp with time zone, $3::bigint))');
    expect(sql).toContain('exists (select from only "app"."bill" as t_c where (t_c."event_id" = t."id"))');
    expect(sql).toContain('for update of t skip locked');
    expect(values).toEqual(['2020-01-01', '2019-01-01', '7', 10]);
  });

  test('the sweep begins at the oldest row and waits', () => {
    const { sql } = takeStatement(work, { holds, after: undefined, waits: true, limit: 10 }, 'lock and delete');

    expect(sql).not.toContain('skip locked');
    expect(sql).not.toContain('> ($');
    expect(sql).toContain('delete from only "app"."ev""ent"');
  });

  test('deleted at once: whether it is still in scope is asked of the row itself too, not only when its place is found', () => {
    const { sql, values } = takeStatement(work, { holds, after: undefined, waits: false, limit: 10 }, 'delete');
    const scope = `t."created_at" < $1::timestamptz and (note <> '{keys}')`;

    expect(sql.replaceAll(/\s+/g, ' ')).toContain(`)) and case when (${scope}) then true else false end`);
    expect(sql.split(scope)).toHaveLength(3);
    expect(values).toEqual(['2020-01-01', 10]);
  });

  test('rows of a table with parts are named by table and place', () => {
    const parts = tableFacts({ kind: 'p', descendants: ['16401'] });
    const { sql, values } = deleteStatement(parts, setOf(['(0,1)']));

    expect(sql).toContain('t.ctid = any($1::tid[]) and (t.tableoid, t.ctid) in');
    expect(values).toEqual(['{"(0,1)"}', '{16401}']);
  });

  test('for COPY the places are literals, of which nothing but digits and brackets is taken', () => {
    expect(deleteReturningStatement(table, setOf(['(0,1)']), 't."id"')).toBe(
      'delete from "app"."ev""ent" as t\nwhere t.ctid = any(\'{"(0,1)"}\'::tid[])\nreturning t."id"',
    );
    expect(() => deleteReturningStatement(table, { rows: 1, tables: '{1}', places: "{');drop" }, 't."id"')).toThrow(
      'digits in brackets',
    );
  });

  test('a condition that decides alone: the others, with their parameters, stay in the statement', () => {
    const parameters = createParameters();
    const one = `t.id = ${parameters.add(7)}`;

    expect(any([one, 'true'])).toBe('(t.id = $1) or (true)');
    expect(all([one, 'false'])).toBe('(t.id = $1) and (false)');
    expect([any([]), any(['true', 'true']), all([]), all(['false'])]).toEqual(['false', 'true', 'true', 'false']);
  });

  test('a count without holds and keys asks for nothing else', () => {
    const { sql } = countStatement({ ...work, action: 'anonymise' }, holds);

    expect(sql).toContain('(count(*) filter (where false))::float8 as held');
    expect(sql).not.toContain('bill');
  });
});

describe('the cursor', () => {
  const work = {
    isDated: true,
    order: [
      { sql: 'a', type: 'timestamptz' },
      { sql: 'b', type: 'text' },
    ],
  };

  test('there and back', () => {
    const stored = storedCursor(work, ['2020-01-01', 'a"b']);

    expect(stored).toEqual({ timestamp: '2020-01-01', key: '["a\\"b"]' });
    expect(readCursor(work, stored)).toEqual(['2020-01-01', 'a"b']);
  });

  test('of another key, or of an erasure: none', () => {
    expect(readCursor(work, { timestamp: '2020-01-01', key: '["1","2"]' })).toBeUndefined();
    expect(readCursor(work, { timestamp: null, key: null })).toBeUndefined();
    expect(storedCursor({ isDated: false }, ['7'])).toEqual({ timestamp: null, key: null });
  });
});

describe('createParameters', () => {
  test('each value has the next number', () => {
    const parameters = createParameters();

    expect([parameters.add('a'), parameters.add('a')]).toEqual(['$1', '$2']);
    expect(parameters.values).toEqual(['a', 'a']);
  });
});
