import { describe, expect, test } from 'vitest';
import { chooseEntries, describeSelection, type Selection } from '../../../functions/shared/restore/choose-entries.ts';
import { isRestorable, isStreamed } from '../../../functions/shared/restore/entry-kinds.ts';
import { tocFixtures } from '../../fixtures/toc/toc-fixtures.ts';
import { nameOf, openedArchive } from '../../support/opened-archive.ts';

const archive = openedArchive('15');

const table = (name: string, schema = 'public') => ({ schema, name });

function chosen(more: Partial<Selection>) {
  const result = chooseEntries(archive, { schemas: [], tables: [], part: 'all', ...more });
  return { ...result, names: result.entries.map(nameOf) };
}

describe('chooseEntries, the whole database', () => {
  test.each(tocFixtures)(
    'archive of $folder: every entry but those of the database itself',
    ({ folder, entries, tables }) => {
      const one = openedArchive(folder);

      const {
        entries: all,
        tables: withRows,
        leftOut,
        isWhole,
      } = chooseEntries(one, { schemas: [], tables: [], part: 'all' });

      const left = one.toc.entries.filter((entry) => !all.includes(entry));
      expect(all.length + left.length).toBe(entries);
      expect(
        left
          .map(nameOf)
          .filter((name) => !/^(ENCODING|STDSTRINGS|SEARCHPATH|DATABASE|ACL DATABASE|COMMENT DATABASE) /.test(name)),
      ).toEqual([]);
      expect([withRows.length, leftOut, isWhole]).toEqual([tables, [], true]);
    },
  );

  test('definitions and rows: together everything, and nothing twice', () => {
    const definitions = chosen({ part: 'schema-only' });
    const rows = chosen({ part: 'data-only' });

    expect([...definitions.entries, ...rows.entries].map(({ dumpId }) => dumpId).toSorted((a, b) => a - b)).toEqual(
      archive.toc.entries
        .filter(isRestorable)
        .map(({ dumpId }) => dumpId)
        .toSorted((a, b) => a - b),
    );
    expect(definitions.tables).toEqual([]);
    expect(definitions.entries.filter(isStreamed)).toEqual([]);
    expect(rows.tables).toHaveLength(17);
    expect(new Set(rows.entries.map(({ desc }) => desc))).toEqual(
      new Set(['TABLE DATA', 'SEQUENCE SET', 'BLOB', 'BLOBS', 'MATERIALIZED VIEW DATA', 'ACL', 'COMMENT']),
    );
    // The notes about large objects go with them; all others are definitions.
    expect(rows.names.filter((name) => /^(ACL|COMMENT) (?!LARGE OBJECT )/.test(name))).toEqual([]);
  });
});

describe('chooseEntries, one table', () => {
  test('its rows, sequence, key, comments and privileges, and the type that a column has', () => {
    const { names, tables, leftOut } = chosen({ tables: [table('docs')] });

    expect(names).toEqual([
      'TABLE public.docs',
      'COMMENT public.TABLE docs',
      'COMMENT public.COLUMN docs.body',
      'ACL public.TABLE docs',
      'ACL public.COLUMN docs.author',
      'SEQUENCE public.docs_id_seq',
      'TABLE DATA public.docs',
      'SEQUENCE SET public.docs_id_seq',
      'CONSTRAINT public.docs docs_pkey',
      'STATISTICS public.st1',
      'STATISTICS public.st2',
    ]);
    expect(tables.map(({ name }) => name)).toEqual(['docs']);
    expect(leftOut).toEqual([]);
  });

  test('with types, a trigger and its function, an exclusion constraint: all of them', () => {
    const { names } = chosen({ tables: [table('ty')] });

    expect(names).toEqual(
      expect.arrayContaining([
        'TYPE public.mood',
        'TYPE public.comp',
        'DOMAIN public.dom',
        'FUNCTION public.trg()',
        'TABLE public.ty',
        'TABLE DATA public.ty',
        'CONSTRAINT public.ty ex',
        'TRIGGER public.ty t1',
      ]),
    );
    expect(names.filter((name) => name.startsWith('TABLE public.'))).toEqual(['TABLE public.ty']);
  });

  test('with a foreign key to another table: the key is left out by name, the rest is there', () => {
    const { names, leftOut } = chosen({ tables: [table('child')] });

    expect(leftOut).toEqual([
      'FK CONSTRAINT "public"."child child_doc_fkey"',
      'FK CONSTRAINT "public"."child child_gen_a_fkey"',
    ]);
    expect(names).toEqual(
      expect.arrayContaining([
        'SEQUENCE public.child_id_seq',
        'TABLE public.child',
        'SEQUENCE OWNED BY public.child_id_seq',
        'DEFAULT public.child id',
        'TABLE DATA public.child',
        'SEQUENCE SET public.child_id_seq',
        'CONSTRAINT public.child child_pkey',
      ]),
    );
    expect(names).not.toContain('TABLE public.docs');
  });

  test('with the tables that its foreign keys name: nothing is left out', () => {
    const { names, leftOut } = chosen({ tables: [table('child'), table('docs'), table('gen')] });

    expect(leftOut).toEqual([]);
    expect(names).toEqual(
      expect.arrayContaining([
        'FK CONSTRAINT public.child child_doc_fkey',
        'FK CONSTRAINT public.child child_gen_a_fkey',
      ]),
    );
  });

  test('with row level security: its policy, too', () => {
    expect(chosen({ tables: [table('rls')] }).names).toEqual(
      expect.arrayContaining(['POLICY public.rls p', 'ROW SECURITY public.rls', 'CONSTRAINT public.rls rls_pkey']),
    );
  });

  test('partitioned: its partitions with their rows, attached, with the indexes of all', () => {
    const { names, tables, leftOut } = chosen({ tables: [table('evt')] });

    expect(tables.map(({ name }) => name)).toEqual(['evt_2024', 'evt_2025', 'evt_def']);
    expect(leftOut).toEqual([]);
    expect(names.filter((name) => name.startsWith('TABLE ATTACH'))).toHaveLength(3);
    expect(names.filter((name) => name.startsWith('INDEX ATTACH'))).toHaveLength(3);
    expect(names).toEqual(
      expect.arrayContaining(['TABLE public.evt', 'DEFAULT public.evt id', 'INDEX public.evt_ts_idx']),
    );
  });

  test('a partition alone: with its rows and its index, attached to its parent, without the other partitions', () => {
    const { names, tables, leftOut } = chosen({ tables: [table('evt_2024')] });

    expect(tables.map(({ name }) => name)).toEqual(['evt_2024']);
    expect(names).toContain('INDEX public.evt_2024_ts_idx');
    expect(names.filter((name) => name.startsWith('TABLE public.'))).toEqual([
      'TABLE public.evt',
      'TABLE public.evt_2024',
    ]);
    expect(names).toEqual(
      expect.arrayContaining(['TABLE ATTACH public.evt_2024', 'INDEX ATTACH public.evt_2024_ts_idx']),
    );
    expect(leftOut).toEqual([]);
  });

  test('a child by inheritance: its parent, which it cannot be made without', () => {
    expect(chosen({ tables: [table('inh_c')] }).names).toEqual(
      expect.arrayContaining(['TABLE public.inh_p', 'TABLE public.inh_c', 'TABLE DATA public.inh_c']),
    );
  });

  test('a materialized view: with the tables that it shows and their rows, its index and its refresh', () => {
    const { names } = chosen({ tables: [table('mv')] });

    expect(names).toEqual(
      expect.arrayContaining([
        'MATERIALIZED VIEW public.mv',
        'INDEX public.mv_kind_idx',
        'MATERIALIZED VIEW DATA public.mv',
        'TABLE public.evt',
        'TABLE DATA public.evt_2024',
        'TABLE DATA public.evt_2025',
        'TABLE DATA public.evt_def',
      ]),
    );
    expect(names).not.toContain('MATERIALIZED VIEW public.mv2');
  });

  test('names with blanks, quotes and letters beyond ASCII: found as they are in the catalog', () => {
    expect(
      chosen({ tables: [table('T é', 'Odd Schema'), table('we.ird "(t)')] }).tables.map(({ name }) => name),
    ).toEqual(['T é', 'we.ird "(t)']);
    expect(chosen({ tables: [table('T é', 'Odd Schema')] }).names[0]).toBe('SCHEMA Odd Schema');
  });

  test('rows alone: no definition, and no sequence that is in use goes back', () => {
    expect(chosen({ tables: [table('docs')], part: 'data-only' }).names).toEqual(['TABLE DATA public.docs']);
  });

  test('large objects and publications belong to no table: neither is chosen', () => {
    const { entries } = chosen({ tables: [table('docs')] });

    expect(entries.filter(({ desc }) => /^(BLOB|PUBLICATION)/.test(desc))).toEqual([]);
  });

  test('nothing of that name: refused, and all missing names are told', () => {
    expect(() => chosen({ schemas: ['nowhere', 'public'], tables: [table('Docs'), table('docs')] })).toThrow(
      /holds no schema "nowhere", no table "public"\."Docs"; it has 17 tables with rows\. Nothing was restored/,
    );
  });
});

describe('chooseEntries, a schema', () => {
  test('everything in it, and the schema itself', () => {
    const { names, tables } = chosen({ schemas: ['Odd Schema'] });

    expect(names).toEqual(['SCHEMA Odd Schema', 'TABLE Odd Schema.T é', 'TABLE DATA Odd Schema.T é']);
    expect(tables).toHaveLength(1);
  });

  test('rows alone: with the values of its sequences, for tables that are made before', () => {
    const { names } = chosen({ schemas: ['public'], part: 'data-only' });

    expect(names.filter((name) => name.startsWith('SEQUENCE SET'))).toHaveLength(5);
    expect(names.filter((name) => name.startsWith('TABLE DATA'))).toHaveLength(16);
  });
});

describe('describeSelection', () => {
  test('the same parts in another order: the same words', () => {
    const one = { schemas: ['b', 'a'], tables: [table('y'), table('x')], part: 'data-only' } as const;
    const other = { schemas: ['a', 'b'], tables: [table('x'), table('y')], part: 'data-only' } as const;

    expect(describeSelection(one)).toBe('schema "a", schema "b", table "public"."x", table "public"."y", data-only');
    expect(describeSelection(other)).toBe(describeSelection(one));
  });

  test('nothing is named: the whole database', () => {
    expect(describeSelection({ schemas: [], tables: [], part: 'all' })).toBe('whole database');
  });
});
