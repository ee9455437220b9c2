// Files that are no migration: each is refused with its own words, with the place, and with what to do.
import { describe, expect, test } from 'vitest';
import { readMigrations } from '../../functions/shared/migration-files.ts';
import { checkMigrationRules } from '../../functions/shared/migration-rules.ts';
import { splitMigration } from '../../functions/shared/migration-statements.ts';
import { decodeMigration, excerptOf } from '../../functions/shared/migration-text.ts';

const FILE = 'migrations/0001_a.up.sql';

describe('decodeMigration', () => {
  const bytes = (...parts: (string | number)[]) =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : Buffer.from([part]))));

  test('UTF-8 with characters of all lengths: the text', () => {
    expect(decodeMigration(FILE, bytes("select 'aüç€😀';"))).toBe("select 'aüç€😀';");
  });

  test('a byte of Latin-1 after good characters: refused with its line, offset and value', () => {
    expect(() => decodeMigration(FILE, bytes("select 'ü';\n-- caf", 0xe9, '\nselect 1;'))).toThrow(
      expect.objectContaining({
        code: 'migrate.files_wrong',
        problem: `${FILE}:2: byte 19 (0xe9) is not UTF-8, and the file must be`,
        safeState: 'No migration was run',
        hint: 'save it as UTF-8, or: iconv -f WINDOWS-1252 -t UTF-8',
      }),
    );
  });

  test('a character that is cut off at the end: refused with the offset of its first byte', () => {
    expect(() => decodeMigration(FILE, bytes('-- x', 0xe2, 0x82))).toThrow(`${FILE}:1: byte 4 (0xe2) is not UTF-8`);
  });

  test('UTF-16: refused by its name', () => {
    expect(() => decodeMigration(FILE, Buffer.from('\uFEFFselect 1;', 'utf16le'))).toThrow(
      `${FILE}:1: is UTF-16, and must be UTF-8`,
    );
  });
});

describe('splitMigration of what an editor has left', () => {
  test('CRLF: the same statements, places and checksum as with LF, also inside a function body', async () => {
    const text =
      "-- why\ncreate table a (\n  id int\n);\ncreate function f() returns text language sql as $$\nselect 'x\ny'\n$$;\n";

    const one = await splitMigration(FILE, text);
    const two = await splitMigration(FILE, text.replaceAll('\n', '\r\n'));

    expect(two).toEqual(one);
    expect(one.statements.map(({ line }) => line)).toEqual([2, 5]);
  });

  test('a byte order mark: refused with the hint how to remove it', async () => {
    await expect(splitMigration(FILE, decodeMigration(FILE, Buffer.from('\uFEFFselect 1;')))).rejects.toMatchObject({
      code: 'migrate.files_wrong',
      problem: `${FILE}:1:1: begins with a byte order mark (EF BB BF)`,
      hint: expect.stringContaining('sed -i'),
    });
  });

  test('a NUL, at which the parser would end and lose the rest: refused with its place', async () => {
    await expect(splitMigration(FILE, 'select 1;\nselect \0 2;')).rejects.toMatchObject({
      problem: `${FILE}:2:8: holds a NUL character`,
    });
  });
});

describe('splitMigration of what is not SQL', () => {
  test.each([
    ['\\i other.sql', '"\\i" is a command of psql, not SQL', 'put the SQL of that file here'],
    ["\\copy t from 'x.csv'", '"\\copy" is a command of psql, not SQL', 'write INSERT'],
    ['\\connect shop', '"\\connect" is a command of psql, not SQL', 'a migration is for one database'],
    ['\\set n 5', '"\\set" is a command of psql, not SQL', 'write the value itself'],
    ['\\timing', '"\\timing" is a command of psql, not SQL', 'only SQL reaches the server'],
    ['select :n;', 'a variable of psql (:name) is not SQL', 'write the value itself'],
    ["select :'n';", 'a variable of psql (:name) is not SQL', 'write the value itself'],
    ['copy t from stdin;\n1\ta\n\\.', 'rows of a COPY … FROM STDIN are data for psql, not SQL', 'write INSERT'],
  ])('%s: refused by its name, with what to write instead', async (line, problem, hint) => {
    await expect(splitMigration(FILE, `select 1;\n${line}\nselect 2;`)).rejects.toMatchObject({
      code: 'migrate.files_wrong',
      problem: expect.stringContaining(problem),
      safeState: 'No migration was run',
      hint: expect.stringContaining(hint),
    });
  });

  test('a psql command: the line and a caret under it', async () => {
    await expect(splitMigration(FILE, 'select 1;\n  \\i other.sql\n')).rejects.toMatchObject({
      problem: `${FILE}:2:3: "\\i" is a command of psql, not SQL`,
      excerpt: '    2 |   \\i other.sql\n      |   ^',
    });
  });

  test('a backslash command in a string, in a body or in a comment: it is text', async () => {
    const { statements } = await splitMigration(FILE, "select '\n\\i a';\n/*\n\\set b 1\n*/ do $$\n\\connect\n$$;");

    expect(statements).toHaveLength(2);
  });

  test('a syntax error: file, line and column count characters; the line and a caret come last in the message', async () => {
    const failure = await splitMigration(FILE, "select 'ünï';\ncreate\ttabel x (id int);").catch((error) => error);

    expect(failure.problem).toBe(`${FILE}:2:8: syntax error at or near "tabel"`);
    expect(failure.message).toMatch(
      /No migration was run\. Hint: correct the file\.\n {4}2 \| create tabel x \(id int\);\n {6}\| {8}\^$/,
    );
  });

  test('an unfinished string: the place is where it begins', async () => {
    await expect(splitMigration(FILE, "select 1;\nselect 'abc;\n\\i x")).rejects.toMatchObject({
      problem: `${FILE}:2:8: unterminated quoted string at or near "'abc;`,
    });
  });
});

describe('excerptOf', () => {
  test('a line of a megabyte: only what is around the place', () => {
    const excerpt = excerptOf(`${'a'.repeat(1_000_000)}!${'b'.repeat(1_000_000)}`, 1_000_000);

    const [line = '', caret = ''] = excerpt.split('\n');
    expect(line.length).toBeLessThan(120);
    expect(line[caret.indexOf('^')]).toBe('!');
  });

  test('the end of the text: the caret stands behind it', () => {
    expect(excerptOf('select (', 8)).toBe('    1 | select (\n      |         ^');
  });
});

describe('readMigrations of statements that cannot be there', () => {
  test('two CONCURRENTLY between BEGIN and COMMIT: refused at BEGIN, and each of them is said to run alone', async () => {
    const text = 'begin;\ncreate index concurrently a on t (a);\ncreate index concurrently b on t (b);\ncommit;';
    const { statements } = await splitMigration(FILE, text);

    expect(() => checkMigrationRules(FILE, statements, false)).toThrow(
      expect.objectContaining({
        problem: expect.stringContaining(`${FILE}:1:1: "begin" controls the transaction`),
        hint: 'remove BEGIN, COMMIT, ROLLBACK and SAVEPOINT; migrate makes the transactions, and each of the 2 statements of lines 2, 3 runs alone, outside of any',
      }),
    );
  });

  test('BEGIN and COMMIT around ordinary statements: nothing is said of running alone', async () => {
    const { statements } = await splitMigration(FILE, 'begin;\nselect 1;\ncommit;');

    expect(() => checkMigrationRules(FILE, statements, false)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/migrate makes the transactions$/) }),
    );
  });

  test('a file that cannot be read as text: the failure of the folder comes through', async () => {
    const folder = {
      name: 'migrations',
      list: () => ['0001_a.down.sql', '0001_a.up.sql'],
      read: (name: string) => decodeMigration(`migrations/${name}`, Buffer.from([0x2d, 0x2d, 0xff])),
    };

    await expect(readMigrations(folder, true)).rejects.toThrow(`${FILE}:1: byte 2 (0xff) is not UTF-8`);
  });
});
