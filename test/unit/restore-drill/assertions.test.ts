import { describe, expect, test } from 'vitest';
import { parseAssertion, readAssertions } from '../../../functions/restore-drill/compare/read-assertions.ts';

describe('parseAssertion', () => {
  test.each([
    'select 1',
    '-- why; this\nselect 1 where false; -- and the end;\n',
    '/* a; /* b; */ c; */ with a as (select 1) select * from a',
    "select ';' || E'\\';' || $$;$$ || $x$;$$;$x$, \"a;b\" from t",
    '(select 1) union all (select 2);\n\n',
    'values (1)',
    'TABLE app.notes',
  ])('one query (%s): taken', (text) => {
    expect(parseAssertion('a.sql', text).query).not.toMatch(/;\s*(--[^\n]*\s*)*$/);
  });

  test.each([
    ['select 1; select 2', 'holds more than one statement'],
    ["select 'a'; -- b\ndrop table app.notes", 'holds more than one statement'],
    ["select E'\\\\'; drop table app.notes --'", 'holds more than one statement'],
    ['begin; select 1; commit', 'holds more than one statement'],
    ['commit', 'begins with "commit"'],
    ['delete from app.notes', 'begins with "delete"'],
    ['do $$ begin null; end $$', 'begins with "do"'],
    ['-- only a comment\n', 'holds no statement'],
    ['', 'holds no statement'],
  ])('%s: refused', (text, problem) => {
    expect(() => parseAssertion('mine.sql', text)).toThrow(
      `assertion "sql/drill/mine.sql" ${problem}; it must be one query`,
    );
  });
});

describe('readAssertions', () => {
  test('what we ship: each is one query', () => {
    expect(readAssertions().map(({ file }) => file)).toEqual(['no-invalid-index.sql']);
  });
});
