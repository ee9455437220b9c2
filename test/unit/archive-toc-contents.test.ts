import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCopyStatement } from '../../functions/shared/archive-toc/copy-statement.ts';
import { dumpedContents } from '../../functions/shared/archive-toc/dumped-contents.ts';
import { dumpedTables } from '../../functions/shared/archive-toc/dumped-tables.ts';
import type { Toc } from '../../functions/shared/archive-toc/toc-entry.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import {
  customHead,
  dataBlockHead,
  type HandMadeEntry,
  handMadeHead,
  readWhole,
  tocFixtures,
} from '../fixtures/toc/toc-fixtures.ts';

const docs: HandMadeEntry = {
  dumpId: 5,
  hasData: true,
  desc: 'TABLE DATA',
  tag: 'docs',
  namespace: 'public',
  copyStatement: 'COPY public.docs (id) FROM stdin;\n',
};

function tocWith(entry: HandMadeEntry, encoding?: string): Toc {
  const head = handMadeHead([entry], encoding);
  return readWhole(
    entry.hasData ? Buffer.concat([head, dataBlockHead(entry.desc === 'BLOBS' ? 3 : 1, entry.dumpId ?? 2)]) : head,
  );
}

describe('parseCopyStatement', () => {
  test.each([
    ['COPY public.docs (id, created) FROM stdin;\n', { schema: 'public', name: 'docs', columns: ['id', 'created'] }],
    ['COPY public.nocols  FROM stdin;\n', { schema: 'public', name: 'nocols', columns: [] }],
    [
      'COPY "a.b"."we.ird ""(t)" ("a(b) ", "c, d", "from stdin;", "é☃") FROM stdin;\n',
      { schema: 'a.b', name: 'we.ird "(t)', columns: ['a(b) ', 'c, d', 'from stdin;', 'é☃'] },
    ],
    ['COPY s."line\nbreak" ("""") FROM stdin;\n', { schema: 's', name: 'line\nbreak', columns: ['"'] }],
  ])('%j: its table and columns', (text, expected) => {
    expect(parseCopyStatement(text)).toEqual(expected);
  });

  test.each([
    ['COPY docs (id) FROM stdin;\n', '"." must be'],
    ['COPY Public.docs (id) FROM stdin;\n', 'a name must be'],
    ['COPY public."" (id) FROM stdin;\n', 'a name must be'],
    ['COPY public."docs (id) FROM stdin;\n', 'a name must be'],
    ['COPY public.docs () FROM stdin;\n', 'a name must be'],
    ['COPY public.docs (id,b) FROM stdin;\n', '")" must be'],
    ['COPY public.docs (id) FROM stdin;', '" FROM stdin;\\n" must be'],
    ['COPY public.docs (id) FROM stdin;\n; drop table x', 'the end must be'],
    ['INSERT INTO public.docs VALUES (1);\n', '"COPY " must be'],
  ])('%j: refused at its character', (text, expected) => {
    expect(() => parseCopyStatement(text)).toThrow(expected);
  });

  test('any names, quoted: read as the same names', () => {
    const name = fc
      .oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom('"', '.', ',', ' ', '(', ')', 'a', '\n', ';', 'é') }),
      )
      .filter((text) => text !== '' && !text.includes('\0'));

    fc.assert(
      fc.property(name, name, fc.array(name, { maxLength: 5 }), (schema, table, columns) => {
        const list = columns.length === 0 ? '' : `(${columns.map(quoteIdentifier).join(', ')})`;
        const text = `COPY ${quoteIdentifier(schema)}.${quoteIdentifier(table)} ${list} FROM stdin;\n`;
        expect(parseCopyStatement(text)).toEqual({ schema, name: table, columns });
      }),
    );
  });

  test('names that need no quotes, as they are: read as the same names', () => {
    const plain = fc.stringMatching(/^[a-z_][a-z0-9_]{0,62}$/);

    fc.assert(
      fc.property(plain, plain, fc.array(plain, { minLength: 1 }), (schema, name, columns) => {
        const text = `COPY ${schema}.${name} (${columns.join(', ')}) FROM stdin;\n`;
        expect(parseCopyStatement(text)).toEqual({ schema, name, columns });
      }),
    );
  });
});

describe('dumpedTables', () => {
  test.each(tocFixtures)(
    'the tables of $folder: with odd names, without generated and dropped columns',
    ({ folder, tables }) => {
      const found = dumpedTables(readWhole(customHead(folder)));

      const byName = new Map(found.map((table) => [table.name, table]));
      expect(found).toHaveLength(tables);
      expect(byName.get('gen')).toMatchObject({ schema: 'public', columns: ['a', 'b', 'we"ird col', 'geo', 'arr'] });
      expect(byName.get('we.ird "(t)')?.columns).toEqual(['a(b) ', 'c, d', 'from stdin;']);
      expect(byName.get('T é')?.schema).toBe('Odd Schema');
      expect(byName.get('nocols')?.columns).toEqual([]);
      expect(byName.get('evt_2025')?.columns).toEqual(['payload', 'kind', 'ts', 'id']);
      for (const { dumpId, fileName, oid } of found) {
        expect(fileName).toBe(`${dumpId}.dat`);
        expect(oid).toBeGreaterThan(16_383);
      }
    },
  );

  test.each([
    ['no COPY statement', { copyStatement: null }, /table "public"\."docs" has no COPY statement but every table must/],
    ['no data', { hasData: false }, /table "public"\."docs" has no COPY statement but every table must/],
    [
      'the COPY of its root',
      { tag: 'part' },
      /"public"\."part" would be copied into "public"\."docs" but must go into its own/,
    ],
    ['another schema', { namespace: 'old' }, /"old"\."docs" would be copied into "public"\."docs"/],
    [
      'bytes that are no UTF-8',
      { tag: Buffer.of(0x64, 0xe9) },
      /the bytes 64e9 in an archive of encoding UTF8 cannot be read/,
    ],
  ])('%s: refused', (_what, change, message) => {
    const toc = tocWith({ ...docs, ...change });

    expect(() => dumpedTables(toc)).toThrow(message);
  });

  test('an archive in another encoding: ASCII names are read, other names refused even when they look like UTF-8', () => {
    const named = (tag: string): HandMadeEntry => ({
      ...docs,
      tag,
      copyStatement: `COPY public."${tag}" (id) FROM stdin;\n`,
    });

    expect(dumpedTables(tocWith(named('docs'), 'LATIN1'))).toMatchObject([{ name: 'docs' }]);
    expect(() => dumpedTables(tocWith(named('docé'), 'LATIN1'))).toThrow(
      /of encoding LATIN1 cannot be read.*--encoding=UTF8/,
    );
    expect(dumpedTables(tocWith(named('\u{feff}docé')))).toMatchObject([{ name: '\u{feff}docé' }]);
  });

  test('an archive that does not declare its encoding: refused', () => {
    expect(() => dumpedTables(tocWith(docs, "x'; --"))).toThrow(
      /for its encoding but must say "SET client_encoding = …"/,
    );
  });
});

describe('dumpedContents', () => {
  test.each(tocFixtures)(
    '$folder: sequences, materialized views, large objects and counts by kind',
    ({ folder, version, tables }) => {
      const contents = dumpedContents(readWhole(customHead(folder)));

      const oids = contents.largeObjects.flatMap((group) => group.oids);
      expect(oids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => 50_001 + index));
      expect(contents.largeObjects).toHaveLength(version === '1.16' ? 6 : 1);
      for (const { dumpId, fileName } of contents.largeObjects) {
        expect(fileName).toBe(version === '1.16' ? `blobs_${dumpId}.toc` : 'blobs.toc');
      }
      expect(contents.sequences.map(({ schema, name }) => `${schema}.${name}`)).toEqual(
        ['always_id_seq', 'child_id_seq', 'docs_id_seq', 'evt_id_seq', 'lone'].map((name) => `public.${name}`),
      );
      expect(contents.materializedViews.map(({ name }) => name)).toEqual(['mv', 'mv2']);
      expect(contents.encoding).toBe('UTF8');
      expect(contents.tables).toHaveLength(tables);
      expect(contents.counts.get('TABLE DATA')).toBe(tables);
      expect(contents.counts.get('STATISTICS DATA')).toBe(folder === '18-statistics' ? 36 : undefined);
    },
  );

  test('data of an unknown kind: refused rather than left out', () => {
    const toc = tocWith({ dumpId: 5, hasData: true, desc: 'STATISTICS DATA' });

    expect(() => dumpedContents(toc)).toThrow(
      'the archive holds data of kind "STATISTICS DATA" but only TABLE DATA and BLOBS',
    );
  });

  test.each([
    ['no list', (toc: Toc) => toc.entries.filter(({ desc }) => desc !== 'BLOB METADATA')],
    [
      'a list with a word in it',
      (toc: Toc) =>
        toc.entries.map((one) =>
          one.desc === 'BLOB METADATA' ? { ...one, definition: Buffer.from('50001\nx\n') } : one,
        ),
    ],
  ])('large objects of 1.16 with %s of OIDs: refused', (_what, change) => {
    const toc = readWhole(customHead('17'));

    expect(() => dumpedContents({ ...toc, entries: change(toc) })).toThrow(
      /lists of OIDs but must have 1 with a number/,
    );
  });

  test('two groups of large objects in 1.14: refused', () => {
    const toc = readWhole(customHead('15'));
    const group = toc.entries.filter(({ desc }) => desc === 'BLOBS');

    expect(() => dumpedContents({ ...toc, entries: [...toc.entries, ...group] })).toThrow(
      /2 entries BLOBS but version 1\.14/,
    );
  });
});
