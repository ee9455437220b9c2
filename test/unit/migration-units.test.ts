import { describe, expect, test } from 'vitest';
import { parseHeader } from '../../functions/shared/migration-header.ts';
import { splitMigration } from '../../functions/shared/migration-statements.ts';
import { unitsOf } from '../../functions/shared/migration-units.ts';

async function unitsOfText(text: string) {
  const { statements, comments } = await splitMigration('f.sql', text);
  return unitsOf({ file: 'f.sql', statements, header: parseHeader('f.sql', comments) });
}

describe('unitsOf', () => {
  test.each([
    ['create index concurrently i on t (a)', 'create index concurrently'],
    ['create unique index concurrently if not exists i on t (a)', 'create index concurrently'],
    ['drop index concurrently i', 'drop index concurrently'],
    ['reindex index concurrently i', 'reindex concurrently'],
    ['reindex (concurrently, verbose) table t', 'reindex concurrently'],
    ['alter table t validate constraint c', 'validate constraint'],
    ["alter type mood add value if not exists 'sad' before 'ok'", 'add enum value'],
    ['vacuum (analyze) t', 'vacuum'],
    ['alter table t detach partition p concurrently', 'detach partition concurrently'],
    ['refresh materialized view concurrently m', 'refresh materialized view concurrently'],
  ])('%s: runs alone', async (statement, operation) => {
    const units = await unitsOfText(`select 1; ${statement}; select 2; select 3;`);

    expect(units.map(({ kind }) => kind)).toEqual(['transaction', 'long', 'transaction']);
    expect(units[1]).toMatchObject({ operation, statement: { number: 2, text: statement } });
    expect(units[2]).toMatchObject({ statements: [{ number: 3 }, { number: 4 }] });
  });

  test.each([
    'create index i on t (a)',
    'reindex table t',
    'analyze t',
    "alter type mood rename value 'a' to 'b'",
    'alter table t validate constraint c, validate constraint d',
    'alter table t detach partition p',
    'refresh materialized view m',
  ])('%s: shares a transaction', async (statement) => {
    expect(await unitsOfText(`select 1; ${statement};`)).toMatchObject([{ kind: 'transaction' }]);
  });

  test('a batch header: the statement below it is a unit of its own, also when it comes first', async () => {
    const units = await unitsOfText(
      '-- nightshift: batch by id 5000\nupdate t set a = 1;\nselect 1;\n-- nightshift: batch by id 10\ndelete from t;',
    );

    expect(units).toMatchObject([
      { kind: 'batch', batch: { column: 'id', rows: 5000 }, statement: { number: 1 } },
      { kind: 'transaction' },
      { kind: 'batch', batch: { rows: 10 }, statement: { number: 3 } },
    ]);
  });

  test.each([
    ['-- nightshift: batch by id 5\n', 'has no statement below it'],
    [
      '-- nightshift: batch by id 5\n-- nightshift: batch by id 6\ndelete from t',
      'is the second for the same statement',
    ],
    ['-- nightshift: batch by id 5\ninsert into t values (1)', 'which is neither UPDATE nor DELETE'],
  ])('%j: refused', async (text, problem) => {
    await expect(unitsOfText(text)).rejects.toThrow(problem);
  });
});

describe('parseHeader', () => {
  const headerOf = (...lines: string[]) =>
    parseHeader(
      'f.sql',
      lines.map((text, index) => ({ text, line: index + 1 })),
    );

  test('every known header: read', () => {
    const header = headerOf(
      '-- an ordinary comment about nightshift: it stays one',
      '-- nightshift: allow ban-drop-column because nobody reads it',
      '--nightshift: depends on 0003_users',
      '-- nightshift: statement timeout 2 min',
    );

    expect(header).toEqual({
      irreversibleBecause: undefined,
      allows: [{ rule: 'ban-drop-column', reason: 'nobody reads it', line: 2 }],
      batches: [],
      statementTimeoutMs: 120_000,
    });
  });

  test.each([
    ['-- nightshift: alow ban-x because y', 'known are:'],
    ['-- nightshift: allow ban-x', 'known are:'],
    ['-- nightshift: allow ban-x because ', 'known are:'],
    ['-- nightshift: batch by id 0', 'must be 1 to 100000'],
    ['-- nightshift: batch by id 100001', 'must be 1 to 100000'],
    ['-- nightshift: statement timeout 0 s', 'must be 1 s to 86400 s'],
    ['-- nightshift: statement timeout 3 h', 'known are:'],
    ['-- nightshift:', 'known are:'],
  ])('%s: refused with what is allowed', (line, hint) => {
    expect(() => headerOf('-- first', line)).toThrow(
      expect.objectContaining({
        code: 'migrate.files_wrong',
        problem: `f.sql:2: the header "nightshift: ${line.slice(14).trim()}" is not understood`,
        hint: expect.stringContaining(hint),
      }),
    );
  });

  test.each([
    ['-- nightshift: statement timeout 1 s', 'one time limit is for the whole file'],
    ['-- nightshift: irreversible because x', 'say it once'],
  ])('%s twice: refused', (line, hint) => {
    expect(() => headerOf(line, line)).toThrow(expect.objectContaining({ hint }));
  });

  test('a header inside a string or a body: no header', async () => {
    const { comments } = await splitMigration(
      'f.sql',
      "select '\n-- nightshift: nonsense';\n-- nightshift: depends on x\n",
    );

    expect(comments).toEqual([{ text: '-- nightshift: depends on x', line: 3 }]);
  });
});
