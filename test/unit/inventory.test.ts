import { describe, expect, test } from 'vitest';
import {
  type Inventory,
  type InventoryEntry,
  inventoryText,
  mergeReadings,
  parseInventory,
} from '../../functions/shared/inventory.ts';
import { definitionDigest } from '../../functions/shared/read-inventory.ts';

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);

function inventory(entries: InventoryEntry[] | null, problem: string | null = null): Inventory {
  return {
    inventoryVersion: 1,
    major: 15,
    database: {
      encoding: 'UTF8',
      localeProvider: 'c',
      collate: 'C',
      ctype: 'C',
      locale: null,
      collationVersion: null,
      lcMonetary: 'C',
    },
    collations: [],
    isFiltered: false,
    entries,
    problem,
  };
}

describe('definitionDigest', () => {
  test.each([
    [
      "CHECK (((state)::text = ANY ((ARRAY['new'::character varying, 'old'::character varying])::text[])))",
      "CHECK (((state)::text = ANY (ARRAY[('new'::character varying)::text, ('old'::character varying)::text])))",
    ],
    ["'x'::character varying(20)", "'x'::text"],
    ["'2026-01-01'::timestamp(3) with time zone", "'2026-01-01'"],
    ["'1 day'::interval day to second(3)", "'1 day'"],
    ['x::"Odd ""Schema"".t"."T ypé"[]', 'x'],
    ['((a AND b) AND c)', '(a AND b AND c)'],
    [' SELECT a\n   FROM t', 'SELECT a FROM t'],
  ])('%s and %s: a restore may say one for the other', (one, other) => {
    expect(definitionDigest(one)).toBe(definitionDigest(other));
  });

  test.each([
    ["state IN ('new')", "state IN ('old')"],
    ["DEFAULT 'a b'", "DEFAULT 'ab'"],
    ["DEFAULT 'a::text'", "DEFAULT 'a'"],
    ["DEFAULT '(it''s)'", "DEFAULT 'it''s'"],
    ['type numeric(10,2)', 'type numeric(10,3)'],
    ['FOREIGN KEY (a) REFERENCES t(b)', 'FOREIGN KEY (b) REFERENCES t(a)'],
    ['a < b', 'a <= b'],
    ['"a b"', 'ab'],
  ])('%s and %s: not the same', (one, other) => {
    expect(definitionDigest(one)).not.toBe(definitionDigest(other));
  });

  test('a long definition that looks like a cast to its end: milliseconds', () => {
    const from = performance.now();

    definitionDigest(`x::"${'""'.repeat(200_000)}`);
    definitionDigest(`x::interval${' a'.repeat(200_000)}`);
    definitionDigest(`'${"''".repeat(200_000)}`);

    expect(performance.now() - from).toBeLessThan(2_000);
  });
});

describe('mergeReadings', () => {
  test('equal in both: kept; another definition: name only; in one alone: left out', () => {
    const before = inventory([
      ['index', 'same', A],
      ['index', 'changed', A],
      ['index', 'gone', A],
    ]);
    const after = inventory([
      ['index', 'same', A],
      ['index', 'changed', B],
      ['index', 'new', A],
      ['table', 'same', B],
    ]);

    expect(mergeReadings(before, after).entries).toEqual([
      ['index', 'same', A],
      ['index', 'changed', null],
    ]);
  });

  test.each([
    [inventory(null, 'first'), inventory([]), 'first'],
    [inventory([]), inventory(null, 'second'), 'second'],
  ])('one of them could not be read: no entries, and its reason', (before, after, problem) => {
    expect(mergeReadings(before, after)).toMatchObject({ entries: null, problem });
  });
});

describe('parseInventory', () => {
  test.each([
    [inventory([])],
    [
      inventory([
        ['table', '"a"."b"', A],
        ['enum', 'null}', null],
      ]),
    ],
    [inventory(null, 'why')],
  ])('what inventoryText wrote: the same', (one) => {
    expect(parseInventory('k', inventoryText(one))).toEqual(one);
  });

  test('one entry in a line', () => {
    expect(inventoryText(inventory([['table', 't', A]])).split('\n')[1]).toBe(`["table","t","${A}"]`);
  });

  test.each([
    ['not JSON', '{'],
    ['another version', inventoryText(inventory([])).replace('"inventoryVersion":1', '"inventoryVersion":2')],
    ['a field more', inventoryText(inventory([])).replace('{', '{"more":1,')],
    ['a digest of another length', inventoryText(inventory([['table', 't', 'abc']]))],
  ])('%s: refused with its key', (_, text) => {
    expect(() => parseInventory('shop/x/inventory.json', text)).toThrow(
      /^the inventory "shop\/x\/inventory\.json" cannot be used: .*\. Definitions were not compared/,
    );
  });
});
