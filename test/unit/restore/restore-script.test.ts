import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TocEntry } from '../../../functions/shared/archive-toc/toc-entry.ts';
import { isRestorable, isStreamed } from '../../../functions/shared/restore/entry-kinds.ts';
import { cutScript, decodeScript } from '../../../functions/shared/restore/restore-script.ts';
import { tocFixtures } from '../../fixtures/toc/toc-fixtures.ts';
import { entryOf, openedArchive } from '../../support/opened-archive.ts';

const PREAMBLE = `--
-- PostgreSQL database dump
--

\\restrict abc

-- Dumped from database version 15.18
-- Started on 2026-11-22 08:18:39 UTC

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;

`;
const END = `-- Completed on 2026-11-22 08:18:40 UTC

--
-- PostgreSQL database dump complete
--

\\unrestrict abc
`;

const [template] = openedArchive('15').toc.entries;

function entry(dumpId: number, definition: string): TocEntry {
  if (template === undefined) throw new Error('the fixture has no entry');
  return { ...template, dumpId, definition: Buffer.from(definition), desc: 'FUNCTION', tag: Buffer.from(`f${dumpId}`) };
}

/** What pg_restore writes before an entry. */
function head({ dumpId, tag, desc, dependencies }: TocEntry): string {
  const needs = dependencies.length === 0 ? '' : `-- Dependencies: ${dependencies.join(' ')}\n`;
  const name = tag.toString('utf8').replaceAll('\n', ' ');
  return `--\n-- TOC entry ${dumpId} (class 1 OID 2)\n${needs}-- Name: ${name}; Type: ${desc}; Schema: s; Owner: o\n--\n\n`;
}

/** The script of some entries, each with what is written between its definition and the next head. */
function scriptOf(pieces: readonly { of: TocEntry; after?: string }[], preamble = PREAMBLE): string {
  const text = pieces.map(({ of, after = '' }) => `${head(of)}${of.definition?.toString('utf8') ?? ''}\n\n${after}`);
  return `${preamble}${text.join('')}${END}`;
}

function cut(text: string, entries: readonly TocEntry[]) {
  const script = cutScript(text, entries);
  if (typeof script === 'string') throw new Error(script);
  return script;
}

describe('decodeScript', () => {
  test('UTF8, with a byte order mark in the middle and at the beginning: nothing is lost', () => {
    const text = "\ufeffselect '\ufeffé☃';\n";

    expect(decodeScript(Buffer.from(text))).toBe(text);
  });

  test('bytes of another encoding: refused, and not changed in silence', () => {
    expect(() => decodeScript(Buffer.from("select 'é';", 'latin1'))).toThrow(/hold bytes that are not UTF8\./);
  });
});

describe('cutScript', () => {
  test.each(tocFixtures)('the table of contents of $folder: every definition comes out as it went in', ({ folder }) => {
    const entries = openedArchive(folder).toc.entries.filter((one) => isRestorable(one) && !isStreamed(one));

    const { statements, settings } = cut(scriptOf(entries.map((of) => ({ of }))), entries);

    expect([...statements.keys()]).toEqual(entries.map(({ dumpId }) => dumpId));
    for (const { dumpId, definition } of entries) {
      expect(statements.get(dumpId)?.trimEnd()).toBe(definition?.toString('utf8').trimEnd() ?? '');
    }
    expect(settings).toEqual([
      'SET statement_timeout = 0;',
      "SET client_encoding = 'UTF8';",
      "SELECT pg_catalog.set_config('search_path', '', false);",
      'SET row_security = off;',
    ]);
  });

  test('bodies that look like heads, settings or the end: each stays with its entry', () => {
    const last = entry(3, 'select 3;\n');
    const body = `CREATE FUNCTION f() AS $$\n${head(last)}DROP TABLE x;\n\n${END}$$;\n`;
    const comment = "COMMENT ON TABLE x IS 'a\nSET default_tablespace = nowhere;';\n";
    const entries = [entry(1, body), entry(2, comment), last];

    const { statements } = cut(scriptOf(entries.map((of) => ({ of }))), entries);

    expect([...statements.values()]).toEqual([body, comment, 'select 3;\n']);
  });

  test('any bodies, made of such pieces in any order: the same', () => {
    const pieces = [
      'x',
      '\n',
      '--\n',
      '\n--\n',
      END,
      'SET default_tablespace = a;',
      'SET default_table_access_method = b;\n',
      head(entry(1, '')),
      head(entry(2, '')),
      "';",
    ];
    const body = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => `f ${parts.join('')};\n`);

    fc.assert(
      fc.property(fc.array(body, { minLength: 1, maxLength: 5 }), (bodies) => {
        const entries = bodies.map((text, index) => entry(index + 1, text));

        const { statements } = cut(scriptOf(entries.map((of) => ({ of }))), entries);

        expect([...statements.values()]).toEqual(bodies);
      }),
    );
  });

  test('what follows a definition (its owner): it belongs to the entry', () => {
    const one = entry(1, 'CREATE SCHEMA a;\n');

    const { statements } = cut(scriptOf([{ of: one, after: 'ALTER SCHEMA a OWNER TO b;\n\n' }]), [one]);

    expect(statements.get(1)).toBe('CREATE SCHEMA a;\n\n\nALTER SCHEMA a OWNER TO b;\n');
  });

  test('settings between entries: every later entry begins with the newest of each, none before', () => {
    const entries = [1, 2, 3, 4].map((dumpId) => entry(dumpId, `select ${dumpId};\n`));
    const after = [
      'SET default_tablespace = fast;\n\nSET default_table_access_method = heap;\n\n',
      'ALTER TABLE x OWNER TO y;\n\n',
      "SET default_tablespace = '';\n\n",
      '',
    ];

    const { statements } = cut(scriptOf(entries.map((of, index) => ({ of, after: after[index] ?? '' }))), entries);

    const method = 'SET default_table_access_method = heap;\n';
    expect([...statements.values()]).toEqual([
      'select 1;\n',
      `SET default_tablespace = fast;\n${method}select 2;\n\n\nALTER TABLE x OWNER TO y;\n`,
      `SET default_tablespace = fast;\n${method}select 3;\n`,
      `SET default_tablespace = '';\n${method}select 4;\n`,
    ]);
  });

  test('a setting before the first entry: it goes for that one, and is no setting of the session', () => {
    const one = entry(1, 'select 1;\n');

    const script = cut(scriptOf([{ of: one }], `${PREAMBLE}SET default_tablespace = slow;\n\n`), [one]);

    expect(script.statements.get(1)).toBe('SET default_tablespace = slow;\nselect 1;\n');
    expect(script.settings.filter((line) => line.includes('tablespace'))).toEqual([]);
  });

  test('an entry that pg_restore leaves out by an option: it has no statement, the others have theirs', () => {
    const [one, two] = [entry(1, 'select 1;\n'), entry(2, 'select 2;\n')];

    const { statements } = cut(scriptOf([{ of: two }]), [one, two]);

    expect([...statements]).toEqual([[2, 'select 2;\n']]);
  });

  test('an entry without SQL: an empty statement', () => {
    const one = entry(1, '');

    expect(cut(scriptOf([{ of: one }]), [one]).statements.get(1)).toBe('');
  });

  test('no entry at all: the settings alone', () => {
    expect(cut(scriptOf([]), []).statements.size).toBe(0);
    expect(cut(scriptOf([]), []).settings).toHaveLength(4);
  });

  const one = entry(1, 'select 1;\n');
  test.each([
    ['cut off before its end', scriptOf([{ of: one }]).replace(END, ''), 'its SQL has no end'],
    ['empty', '', 'its SQL has no end'],
    ['its only end in a body', scriptOf([{ of: entry(1, END) }]).slice(0, -END.length), 'its SQL has no end'],
    ['an entry twice', scriptOf([{ of: one }, { of: one }]), 'it writes entry 1 twice'],
    [
      'an entry twice, with another between',
      scriptOf([{ of: one }, { of: entry(2, '') }, { of: one }]),
      'it writes entry 1 twice',
    ],
    ['an entry that was not asked for', scriptOf([{ of: entry(9, '') }]), 'it writes entry 9, which was not asked for'],
  ])('%s: not taken', (_, text, expected) => {
    expect(cutScript(text, [entry(1, text.includes('Completed') ? END : 'select 1;\n'), entry(2, '')])).toBe(expected);
  });

  test('the fixture has what these tests are about', () => {
    expect(entryOf(openedArchive('15').toc, 'FUNCTION public.trg()').definition?.toString()).toContain('$$');
  });
});
