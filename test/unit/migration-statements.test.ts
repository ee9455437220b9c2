import { describe, expect, test } from 'vitest';
import { checkMigrationRules } from '../../functions/shared/migration-rules.ts';
import { splitMigration } from '../../functions/shared/migration-statements.ts';

describe('splitMigration', () => {
  test('bodies, comments, quoted names and non-ASCII hold semicolons: each statement is whole, with its place', async () => {
    const text = `-- ünï; /* not ; here */
create table "we;ird" (t text default 'a;b');
/* outer /* inner ; */ still */
create function f() returns int language sql as $body$ select 1; select 2; $body$;
  create function g() returns int begin atomic select 1; select 2; end;
do $$ begin perform 1; end $$`;

    const { statements } = await splitMigration('f.sql', text);

    expect(statements.map(({ line, column, firstLine }) => `${line}:${column} ${firstLine.slice(0, 20)}`)).toEqual([
      '2:1 create table "we;ird',
      '4:1 create function f() ',
      '5:3 create function g() ',
      '6:1 do $$ begin perform ',
    ]);
    expect(statements[2]?.text).toBe('create function g() returns int begin atomic select 1; select 2; end');
  });

  test('only comments, or nothing: no statement', async () => {
    expect((await splitMigration('f.sql', '-- nothing\n')).statements).toEqual([]);
    expect((await splitMigration('f.sql', '')).statements).toEqual([]);
  });

  test('a syntax error after non-ASCII text: file, line and column count characters', async () => {
    await expect(
      splitMigration('migrations/0001_a.up.sql', "select 'ünï';\ncreate tabel x (id int);"),
    ).rejects.toMatchObject({
      code: 'migrate.files_wrong',
      problem: 'migrations/0001_a.up.sql:2:8: syntax error at or near "tabel"',
    });
  });

  test('comments, spacing and a moved line: the same checksum', async () => {
    const one = await splitMigration('f.sql', 'create table a (id int); -- why\nselect 1;');
    const two = await splitMigration('f.sql', '/* header */\ncreate   table a\n(\n  id int\n)\n;\n\nselect 1;\n');

    expect(two.checksum).toBe(one.checksum);
  });

  test.each([
    ['another constant', "select 1 where 'a' = 'a'", "select 1 where 'a' = 'b'"],
    ['a blank inside a string', "select 'a b'", "select 'a  b'"],
    ['another case in a quoted name', 'select 1 as "A"', 'select 1 as "a"'],
    ['a comment-like string', "select '-- x'", "select '-- y'"],
    ['two words instead of one', 'select ab', 'select a b'],
    ['another function body', 'do $$ begin perform 1; end $$', 'do $$ begin perform 2; end $$'],
  ])('%s: another checksum', async (_what, one, two) => {
    expect((await splitMigration('f.sql', one)).checksum).not.toBe((await splitMigration('f.sql', two)).checksum);
  });
});

describe('checkMigrationRules', () => {
  test.each([
    ['begin', 'controls the transaction'],
    ['start transaction', 'controls the transaction'],
    ['commit', 'controls the transaction'],
    ['rollback', 'controls the transaction'],
    ['savepoint a', 'controls the transaction'],
    ["prepare transaction 'x'", 'controls the transaction'],
    ['set search_path = a', 'leak into the next file'],
    ['set session authorization x', 'leak into the next file'],
    ['reset all', 'leak into the next file'],
    ['copy t from stdin', 'COPY from or to the client'],
    ['copy t to stdout', 'COPY from or to the client'],
    ['create index concurrently on t (a)', 'has no name for its index'],
    ['drop index concurrently i, j', 'drops more than one index'],
    ['reindex schema s', 'cannot run in a transaction'],
    ['reindex database d', 'cannot run in a transaction'],
    ['cluster', 'cannot run in a transaction'],
    ['create database d', 'cannot run in a transaction'],
    ['drop database d', 'cannot run in a transaction'],
    ["create tablespace t location '/x'", 'cannot run in a transaction'],
    ["alter system set work_mem = '1MB'", 'cannot run in a transaction'],
    ["create subscription s connection 'host=x' publication p", 'cannot run in a transaction'],
  ])('%s: refused with its place and what to do instead', async (statement, because) => {
    const { statements } = await splitMigration('f.sql', `select 1;\n  ${statement};`);

    expect(() => checkMigrationRules('f.sql', statements, false)).toThrow(
      expect.objectContaining({
        code: 'migrate.files_wrong',
        problem: expect.stringContaining(`f.sql:2:3: "${statement}" `),
        safeState: 'No migration was run',
      }),
    );
    expect(() => checkMigrationRules('f.sql', statements, false)).toThrow(because);
  });

  test.each([
    'create index on t (a)',
    'create index concurrently i on t (a)',
    'drop index concurrently i',
    'vacuum t',
    'reindex (concurrently) schema s',
    'drop index i',
    'reindex table t',
    'alter table t detach partition p',
    'analyze t',
    'cluster t using i',
    'set local search_path = a',
    'set constraints all deferred',
    "copy t from '/file'",
    'create procedure p() language plpgsql as $$ begin commit; end $$',
  ])('%s: allowed', async (statement) => {
    const { statements } = await splitMigration('f.sql', statement);

    expect(() => checkMigrationRules('f.sql', statements, false)).not.toThrow();
  });

  test('a statement that must run alone, where all files run in one transaction: refused', async () => {
    const { statements } = await splitMigration('f.sql', 'vacuum t');

    expect(() => checkMigrationRules('f.sql', statements, true)).toThrow('must run alone');
  });
});
