// What a person can give to `npm run migrate` that is wrong: each ends with its own words, with what was not done, and exit code 2
// or 1, and changes nothing.
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type OwnCluster, startOwnCluster } from '../database/own-cluster.ts';
import { createMigrateWorld, type MigrateWorld } from '../support/migrate-command.ts';

const pair = (up: string | Uint8Array, down: string | Uint8Array = 'drop table public.a;') => ({
  '0001_a.up.sql': up,
  '0001_a.down.sql': down,
});
const GOOD = pair('create table public.a (id int);\n');
const second = (text: string) => ({ ...GOOD, '0002_b.up.sql': text, '0002_b.down.sql': 'select 1;' });

let cluster: OwnCluster;
let world: MigrateWorld;

beforeAll(async () => {
  cluster = await startOwnCluster();
  world = await createMigrateWorld(cluster);
});
beforeEach(async () => {
  await world.client.query(
    "delete from nightshift.migration where kind = 'application'; drop table if exists public.a",
  );
});
afterAll(async () => {
  await world.close();
  await cluster.stop();
});

describe('files that npm run migrate refuses', () => {
  test.each<[string, Record<string, string | Uint8Array>, string]>([
    ['a missing pair', { ...GOOD, '0002_b.up.sql': 'select 1;' }, '"0002_b.up.sql" has no "0002_b.down.sql"'],
    [
      'a duplicate number',
      { ...GOOD, '0001_z.up.sql': 'select 1;', '0001_z.down.sql': 'select 1;' },
      '0001 is used twice: "a", "z"',
    ],
    ['a gap', { ...GOOD, '0003_c.up.sql': 'select 1;', '0003_c.down.sql': 'select 1;' }, 'there is none before 0003'],
    ['an ending in capitals', { ...GOOD, '0002_b.up.SQL': 'select 1;' }, '"0002_b.up.SQL" is not named as a migration'],
    [
      'an unknown header',
      second('select 1;\n-- nightshift: allow-everything\n'),
      '/0002_b.up.sql:2: the header "nightshift: allow-everything" is not understood',
    ],
    ['an empty file', second(''), '/0002_b.up.sql" has no statement'],
    ['a file of comments', second('-- later\n'), '/0002_b.up.sql" has no statement'],
    ['a byte order mark', second('\uFEFFselect 1;'), '/0002_b.up.sql:1:1: begins with a byte order mark (EF BB BF)'],
    [
      'bytes that are not UTF-8',
      { ...GOOD, '0002_b.up.sql': Buffer.from('select 1;\n-- caf\xe9\n', 'latin1'), '0002_b.down.sql': 'select 1;' },
      '/0002_b.up.sql:2: byte 16 (0xe9) is not UTF-8',
    ],
    [
      'two CONCURRENTLY in one transaction',
      second('begin;\ncreate index concurrently i on public.a (id);\nreindex table concurrently public.a;\ncommit;'),
      'each of the 2 statements of lines 2, 3 runs alone, outside of any',
    ],
    [
      'a command of psql',
      second('select 1;\n\\i other.sql'),
      '/0002_b.up.sql:2:1: "\\i" is a command of psql, not SQL. No migration was run. Hint: put the SQL of that file here, or into a migration of its own. [migrate.files_wrong]\n    2 | \\i other.sql\n      | ^\n',
    ],
    [
      'a syntax error',
      second('select 1;\ncreate tabel b (id int);'),
      '/0002_b.up.sql:2:8: syntax error at or near "tabel". No migration was run. Hint: correct the file. [migrate.files_wrong]\n    2 | create tabel b (id int);\n      |        ^\n',
    ],
  ])('%s: its own words, exit code 2, and no file is run', async (_what, files, words) => {
    world.writeFiles(files);

    const end = await world.run(['up']);

    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain(words);
    expect(end.stderr).toContain('No migration was run. Hint: ');
    expect(end.stderr).not.toMatch(/\n\s+at /);
    expect(await world.recorded()).toEqual([]);
  });

  test('CRLF: applied; the same files with LF are the same, and a word more is not', async () => {
    const text = 'create table public.a (id int);\ncomment on table public.a is $$one\ntwo$$;\n';
    world.writeFiles(pair(text.replaceAll('\n', '\r\n')));
    const applied = await world.run(['up']);
    world.writeFiles(pair(text));
    const same = await world.run(['status', '--exit-code']);
    world.writeFiles(pair(text.replace('two', 'two more')));
    const status = await world.run(['status', '--exit-code']);
    const up = await world.run(['up']);

    expect(applied.exitCode).toBe(0);
    expect(same.exitCode).toBe(0);
    expect(status).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('CHANGED after it was applied') });
    expect(up.exitCode).toBe(2);
    expect(up.stderr).toMatch(/0001_a\.up\.sql" changed after it was applied on .* \[migrate\.changed\]\n$/);
  });

  test('syntax that only a newer server knows: the version of the server is said, and the place', async () => {
    // PostgreSQL 18 has virtual columns; this text parses, and a server before it refuses the word.
    world.writeFiles(second('select 1;\nalter table public.a add column b int generated always as (1) virtual;'));

    const end = await world.run(['up']);

    if (cluster.major >= 18) {
      expect(end.exitCode).toBe(0);
      return;
    }
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toMatch(/0002_b\.up\.sql:2:\d+: statement 2 .* failed \(SQLSTATE 42601\): syntax error/);
    expect(end.stderr).toContain(`this server is PostgreSQL ${cluster.major}.`);
    expect(end.stderr).toContain(
      ', and the grammar of PostgreSQL 18 knows this syntax. The transaction of this file was rolled back',
    );
    expect(end.stderr).toContain(
      `Hint: write it as PostgreSQL ${cluster.major} knows it, or upgrade the server first.`,
    );
    expect(end.stderr).toMatch(/ {4}2 \| alter table public\.a .*\n {6}\| +\^\n$/);
    expect(await world.recorded()).toEqual([1]);
  });

  test('a mistake of meaning with the SQLSTATE of a syntax error: nothing is said of versions', async () => {
    world.writeFiles(second('insert into public.a (id) values (1, 2);'));

    const end = await world.run(['up']);

    expect(end).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(SQLSTATE 42601)') });
    expect(end.stderr).not.toContain('the grammar of');
  });
});

describe('targets and roles that npm run migrate refuses', () => {
  beforeEach(() => world.writeFiles(GOOD));

  test.each([
    ['up', '9', 'up was asked to go to 9, but must go to 0 to 1'],
    ['down', '3', 'down was asked to go to 3, but must go to 0 to 0'],
    ['baseline', '7', 'baseline was asked to go to 7, but the newest file is 1'],
  ])('%s --to %s, which is not there: the numbers that are, exit code 2', async (action, to, words) => {
    const end = await world.run([action, '--to', to]);

    expect(end).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(words) });
    expect(end.stderr).toContain('[event.wrong]');
    expect(await world.recorded()).toEqual([]);
  });

  test('a database that does not exist: its name and the server, exit code 1', async () => {
    const { host, port } = cluster.place;

    const end = await world.run(['status', '--database-url', `postgres://nightshift_migrate@${host}:${port}/nowhere`]);

    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain(
      `database "nowhere" does not exist on server "${host}:${port}". Nothing was read or changed. Hint: check the name in the URL. [database.not_found]`,
    );
  });

  test('a database without schema nightshift: bootstrap is named', async () => {
    const dbname = await cluster.createDatabase();
    const { host, port } = cluster.place;

    const end = await world.run(['up', '--database-url', `postgres://nightshift_migrate@${host}:${port}/${dbname}`]);

    expect(end).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('run bootstrap') });
    expect(end.stderr).toContain('[migrate.no_history]');
  });

  test('a wrong password: nothing is said of a secret, and where to look', async () => {
    const end = await world.run(['status'], { PGPASSWORD: 'wrong' });

    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain('refused the password of role "nightshift_migrate". Nothing was read or changed.');
    expect(end.stderr).toContain('check role and password in the URL, PGPASSWORD or PGUSER');
  });

  test('a role that may not read the history: its name, and who may', async () => {
    const { host, port } = cluster.place;
    await world.client.query("create role visitor login password 'visitor'");

    const end = await world.run(['up', '--database-url', `postgres://visitor@${host}:${port}/${world.dbname}`], {
      PGPASSWORD: 'visitor',
    });

    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain('role "visitor" may not read what is recorded of the migrations (SQLSTATE 42501)');
    expect(end.stderr).toContain('No migration was run. Hint: log in as nightshift_migrate');
    await world.client.query('drop role visitor');
  });

  test('a statement that the role has no right to: the place, what was not done, and who must own it', async () => {
    await world.client.query('create table public.owned_by_other (id int)');
    world.writeFiles(second('alter table public.owned_by_other add column b int;'));

    const end = await world.run(['up']);

    expect(end.exitCode).toBe(1);
    expect(end.stderr).toMatch(/0002_b\.up\.sql:1:1: statement 1 .* failed \(SQLSTATE 42501\): must be owner of table/);
    expect(end.stderr).toContain('must belong to the role that runs it, nightshift_migrate, or be granted to it');
    expect(await world.recorded()).toEqual([1]);
  });

  test.each([
    [['up', '--to', 'two'], '--to is "two"; it must be a whole number from 0 to 9999'],
    [['explode'], '"explode" is no action'],
    [['up', '--confirm-loss'], '--confirm-loss is not an option of up'],
    [['up', '--lock-timeout', '1'], '--lock-timeout is "1"; it must be a whole number from 100 to 300000'],
    [['baseline'], 'baseline needs --to'],
    [
      ['up', '--database', 'shop', '--database-url', 'postgres://a@b/c'],
      '--database-url and --database are both given',
    ],
    [['up', '--database', 'nowhere'], 'nightshift.config.ts has no database "nowhere"; it has "sample"'],
    [['up', '--requested-by', ' '], '--requested-by is blank'],
  ])('%j: what is wrong and allowed, exit code 2', async (args, words) => {
    const end = await world.run(args);

    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain(words);
    expect(end.stderr).toContain('Nothing was read or changed');
    expect(await world.recorded()).toEqual([]);
  });

  test('a folder that holds no file, or is not there: exit code 2', async () => {
    world.writeFiles({});
    const empty = await world.run(['status']);
    rmSync(world.folder, { recursive: true });
    const missing = await world.run(['status']);

    expect(empty).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('holds no .sql file') });
    expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('cannot be read: ENOENT') });
  });
});
