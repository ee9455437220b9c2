import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesOfTest } from './migration-files-of-test.ts';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';

const twoFiles = {
  '0001_shop.up.sql': `-- makes the shop
create schema shop;
create table shop.orders (id bigint primary key, state text not null default 'new;open');
create function shop.label(o shop.orders) returns text language plpgsql as $$
begin
  return o.state; -- a ; in a body
end
$$;
`,
  '0001_shop.down.sql': 'drop function shop.label(shop.orders);\ndrop table shop.orders;\ndrop schema shop;\n',
  '0002_notes.up.sql': 'alter table shop.orders add column note text;\n',
  '0002_notes.down.sql': 'alter table shop.orders drop column note;\n',
};

describe('migrate', () => {
  let cluster: OwnCluster;
  let dbname: string;
  let client: Client;

  beforeAll(async () => {
    cluster = await startOwnCluster();
  });
  beforeEach(async () => {
    dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    client = await cluster.client(dbname);
  });
  afterAll(async () => {
    await cluster.stop();
  });

  const steps = async () =>
    (
      await client.query(
        "select number, direction, statement_number as n, line, outcome, sqlstate, requested_by from nightshift.migration_step where kind = 'application' order by step_id",
      )
    ).rows;
  const applied = async () =>
    (await client.query("select number from nightshift.migration where kind = 'application' order by 1")).rows.map(
      ({ number }) => number,
    );

  test('no migration was run yet: status names the pending files and changes nothing', async () => {
    const result = await cluster.migrate(dbname, { action: 'status' }, { folder: filesOfTest(twoFiles) });

    expect(result).toMatchObject({
      current: 0,
      pending: [
        { number: 1, name: 'shop' },
        { number: 2, name: 'notes' },
      ],
      halfDone: null,
      running: null,
    });
    expect(await steps()).toEqual([]);
  });

  test('up: each file is one transaction, each statement one row with its line and who asked', async () => {
    const result = await cluster.migrate(
      dbname,
      { action: 'up', requestedBy: 'ada' },
      { folder: filesOfTest(twoFiles), runId: 'run-1' },
    );

    expect(result).toMatchObject({
      current: 2,
      pending: [],
      done: [
        { number: 1, statements: 3 },
        { number: 2, statements: 1 },
      ],
    });
    expect(await steps()).toEqual([
      { number: 1, direction: 'up', n: 1, line: 2, outcome: 'done', sqlstate: null, requested_by: 'ada' },
      { number: 1, direction: 'up', n: 2, line: 3, outcome: 'done', sqlstate: null, requested_by: 'ada' },
      { number: 1, direction: 'up', n: 3, line: 4, outcome: 'done', sqlstate: null, requested_by: 'ada' },
      { number: 2, direction: 'up', n: 1, line: 1, outcome: 'done', sqlstate: null, requested_by: 'ada' },
    ]);
    const { rows } = await client.query(
      "select request_id, database_role, login_role, duration_ms is not null as timed from nightshift.migration where kind = 'application' and number = 2",
    );
    expect(rows).toEqual([
      { request_id: 'run-1', database_role: 'nightshift_migrate', login_role: 'nightshift_migrate', timed: true },
    ]);
  });

  test('up twice: the second run has nothing to do and says so', async () => {
    const logged: string[] = [];
    await cluster.migrate(dbname, { action: 'up' }, { folder: filesOfTest(twoFiles) });

    const result = await cluster.migrate(dbname, { action: 'up' }, { folder: filesOfTest(twoFiles), logged });

    expect(result).toMatchObject({ done: [] });
    expect(logged).toEqual(['migrate.up_to_date']);
  });

  test('up to 1, up, down, down to 0: each goes exactly there, newest first', async () => {
    const folder = filesOfTest(twoFiles);
    await cluster.migrate(dbname, { action: 'up', to: 1 }, { folder });
    expect(await applied()).toEqual([1]);
    await cluster.migrate(dbname, { action: 'up' }, { folder });
    expect(await applied()).toEqual([1, 2]);
    await cluster.migrate(dbname, { action: 'down' }, { folder });
    expect(await applied()).toEqual([1]);
    await cluster.migrate(dbname, { action: 'up' }, { folder });
    const result = await cluster.migrate(dbname, { action: 'down', to: 0 }, { folder });

    expect(result).toMatchObject({ done: [{ number: 2 }, { number: 1 }] });
    expect(await applied()).toEqual([]);
  });

  test('nothing is applied: down does nothing', async () => {
    const result = await cluster.migrate(dbname, { action: 'down' }, { folder: filesOfTest(twoFiles) });

    expect(result).toMatchObject({ current: 0, done: [] });
  });

  test('dry run of up: statements with their lines, and nothing is changed', async () => {
    const result = await cluster.migrate(dbname, { action: 'up', dryRun: true }, { folder: filesOfTest(twoFiles) });

    expect(result).toMatchObject({
      planned: [
        { file: 'migrations/0001_shop.up.sql' },
        { file: 'migrations/0002_notes.up.sql', statements: ['1: alter table shop.orders add column note text'] },
      ],
      sql: expect.stringContaining(
        '-- migrations/0002_notes.up.sql\nbegin;\nalter table shop.orders add column note text;\ncommit;\n',
      ),
    });
    expect(await applied()).toEqual([]);
  });

  test('dry run of down: it shows the tables and columns that would go, with rows and bytes, and changes nothing', async () => {
    await cluster.migrate(dbname, { action: 'up' }, { folder: filesOfTest(twoFiles) });
    await client.query('insert into shop.orders select i from generate_series(1, 500) i');
    await client.query('analyze shop.orders');

    const result = await cluster.migrate(
      dbname,
      { action: 'down', to: 0, dryRun: true },
      { folder: filesOfTest(twoFiles) },
    );

    expect('loses' in result && result.loses).toEqual([
      {
        object: 'column shop.orders.note',
        says: 'drops column shop.orders.note: 0 non-null values',
        lostBy: 'alter table shop.orders drop column note',
        rows: 0,
        estimatedRows: 500,
        bytes: null,
      },
      {
        object: 'table shop.orders',
        says: 'drops table shop.orders: 500 rows',
        lostBy: 'drop table shop.orders',
        rows: 500,
        estimatedRows: 500,
        bytes: expect.any(Number),
      },
    ]);
    expect(await applied()).toEqual([1, 2]);
  });

  test('an applied file was edited: migrate.changed names both checksums; comments and spacing do not count', async () => {
    await cluster.migrate(dbname, { action: 'up' }, { folder: filesOfTest(twoFiles) });
    const reformatted = {
      ...twoFiles,
      '0002_notes.up.sql': '-- why\nalter table shop.orders\n  add column note text\n;',
    };
    const edited = { ...twoFiles, '0002_notes.up.sql': "alter table shop.orders add column note text default 'x';" };

    await cluster.migrate(dbname, { action: 'up' }, { folder: filesOfTest(reformatted) });
    const refused = cluster.migrate(dbname, { action: 'up' }, { folder: filesOfTest(edited) });

    await expect(refused).rejects.toMatchObject({
      code: 'migrate.changed',
      problem: expect.stringMatching(
        /"migrations\/0002_notes\.up\.sql" changed after .* \(applied sha256 [0-9a-f]{64}, file [0-9a-f]{64}\)/,
      ),
    });
    const status = await cluster.migrate(dbname, { action: 'status' }, { folder: filesOfTest(edited) });
    expect(status).toMatchObject({ changed: ['migrations/0002_notes.up.sql'] });
  });

  test('the file of an applied migration is missing: refused, also for status', async () => {
    await cluster.migrate(dbname, { action: 'up' }, { folder: filesOfTest(twoFiles) });
    const { '0002_notes.up.sql': _up, '0002_notes.down.sql': _down, ...first } = twoFiles;

    await expect(cluster.migrate(dbname, { action: 'status' }, { folder: filesOfTest(first) })).rejects.toMatchObject({
      code: 'migrate.files_wrong',
      problem: expect.stringContaining('2 "notes" is applied, but its file is missing'),
    });
  });

  test('a statement fails: file, line, column, SQLSTATE; the file leaves only its failed row, the file before stays', async () => {
    const files = {
      ...twoFiles,
      '0002_notes.up.sql':
        '-- ünï\ncreate table shop.a (id int);\n\ncreate table shop.b (\n  id int,\n  price nümber\n);\ncreate table shop.c (id int);',
    };

    await expect(
      cluster.migrate(dbname, { action: 'up', requestedBy: 'ada' }, { folder: filesOfTest(files) }),
    ).rejects.toMatchObject({
      code: 'migrate.statement_failed',
      problem:
        'migrations/0002_notes.up.sql:6:9: statement 2 "create table shop.b (" failed (SQLSTATE 42704): type "nümber" does not exist',
      safeState: expect.stringContaining('rolled back'),
    });

    expect(await applied()).toEqual([1]);
    expect((await client.query("select to_regclass('shop.a') as a")).rows).toEqual([{ a: null }]);
    expect((await steps()).filter(({ number }) => number === 2)).toEqual([
      { number: 2, direction: 'up', n: 2, line: 4, outcome: 'failed', sqlstate: '42704', requested_by: 'ada' },
    ]);
  });

  test('an error inside DO: the message names the line of the block', async () => {
    const files = filesOfTest({
      '0001_a.up.sql': 'select 1;\ndo $$\nbegin\n  perform 1 / 0;\nend\n$$;',
      '0001_a.down.sql': 'select 1;',
    });

    await expect(cluster.migrate(dbname, { action: 'up' }, { folder: files })).rejects.toMatchObject({
      problem: expect.stringMatching(
        /0001_a\.up\.sql:2:1: statement 2 "do \$\$" failed \(SQLSTATE 22012\): division by zero \(in PL\/pgSQL function inline_code_block line 3/,
      ),
    });
  });

  test('a deferred constraint is violated at the end of the file: recorded as failed, nothing is applied', async () => {
    const files = filesOfTest({
      '0001_a.up.sql':
        'create table public.p (id int primary key);\ncreate table public.c (p int references public.p deferrable initially deferred);\ninsert into public.c values (1);',
      '0001_a.down.sql': 'drop table public.c, public.p;',
    });
    await client.query('grant create on schema public to nightshift_migrate');

    await expect(cluster.migrate(dbname, { action: 'up' }, { folder: files })).rejects.toMatchObject({
      code: 'migrate.statement_failed',
      problem: expect.stringContaining('23503'),
    });

    expect(await applied()).toEqual([]);
    expect(await steps()).toMatchObject([{ outcome: 'failed', sqlstate: '23503' }]);
  });

  test('a file switches the role for its statements: the record is written as nightshift_migrate all the same', async () => {
    await client.query('create role shop_owner nologin');
    await client.query(`grant shop_owner to nightshift_migrate; grant create on database ${dbname} to shop_owner`);
    const files = filesOfTest({
      '0001_a.up.sql': 'set local role shop_owner;\ncreate schema owned;',
      '0001_a.down.sql': 'drop schema owned;',
    });

    await cluster.migrate(dbname, { action: 'up' }, { folder: files });

    const { rows } = await client.query(
      "select pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = 'owned'",
    );
    expect(rows).toEqual([{ owner: 'shop_owner' }]);
    expect(await steps()).toHaveLength(2);
    await client.query(`drop schema owned; revoke all on database ${dbname} from shop_owner; drop role shop_owner`);
  });

  test('an unqualified table: it is made where the role would make it by hand, in public', async () => {
    await client.query('grant create on schema public to nightshift_migrate');
    const files = filesOfTest({
      '0001_a.up.sql': 'create table plain (id int);',
      '0001_a.down.sql': 'drop table plain;',
    });

    await cluster.migrate(dbname, { action: 'up' }, { folder: files });

    expect((await client.query("select to_regclass('public.plain')::text as name")).rows).toEqual([{ name: 'plain' }]);
    await cluster.migrate(dbname, { action: 'down' }, { folder: files });
    expect(await applied()).toEqual([]);
  });

  test('a data change that row level security would cut: it fails instead of changing fewer rows', async () => {
    const files = {
      '0001_a.up.sql':
        'create schema s;\ncreate table s.t (id int);\ninsert into s.t values (1);\nalter table s.t enable row level security;\nalter table s.t force row level security;',
      '0001_a.down.sql': 'drop table s.t;\ndrop schema s;',
      '0002_b.up.sql': 'update s.t set id = 2;',
      '0002_b.down.sql': 'update s.t set id = 1;',
    };

    await expect(cluster.migrate(dbname, { action: 'up' }, { folder: filesOfTest(files) })).rejects.toMatchObject({
      problem: expect.stringContaining('would be affected by row-level security policy'),
    });
    expect(await applied()).toEqual([1]);
  });

  test('schema nightshift does not exist: migrate.no_history points to bootstrap', async () => {
    const bare = await cluster.createDatabase();

    await expect(cluster.migrate(bare, { action: 'status' }, { folder: filesOfTest(twoFiles) })).rejects.toMatchObject({
      code: 'migrate.no_history',
      problem: `database "${bare}" has no table nightshift.migration`,
      hint: expect.stringContaining('run bootstrap'),
    });
  });

  test('an irreversible migration: down refuses with its reason and reverts nothing', async () => {
    const files = filesOfTest({
      ...twoFiles,
      '0002_notes.down.sql': '-- nightshift: irreversible because the notes cannot be made again\n',
    });
    await cluster.migrate(dbname, { action: 'up' }, { folder: files });

    await expect(cluster.migrate(dbname, { action: 'down', to: 0 }, { folder: files })).rejects.toMatchObject({
      code: 'migrate.files_wrong',
      problem: expect.stringContaining('irreversible because the notes cannot be made again'),
    });
    expect(await applied()).toEqual([1, 2]);
  });

  test('the role of another job runs it: a clear failure, nothing is applied', async () => {
    const health = { folder: filesOfTest(twoFiles), login: roleLogin(cluster, 'HEALTH_SECRET_ARN') };

    await expect(cluster.migrate(dbname, { action: 'up' }, health)).rejects.toMatchObject({
      code: 'database.statement_failed',
      problem: expect.stringMatching(/SQLSTATE (25006|42501)/),
    });
    expect(await applied()).toEqual([]);
  });
});
