import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { ALL_TABLES, createRestorableSource, READINGS, type RestorableSource } from '../support/restorable-source.ts';
import { expectExit, restoreCommand, targetUrl } from '../support/restore-command.ts';

let aws: LocalAws;
let source: RestorableSource;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createRestorableSource(aws);
});

afterEach(() => aws.setFault(undefined));

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

describe('npm run restore of a part', () => {
  test('--schema: its tables with rows and indexes, and nothing of another schema', async () => {
    const name = source.newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--schema', 'app']);

    expectExit(end, 0);
    expect(await source.tablesOf(name)).toBe('app|notes\napp|orders\napp|readings');
    expect(await source.sql(name, 'select count(*) from app.readings')).toBe(String(READINGS));
    expect(await source.sql(name, "select count(*) from pg_indexes where indexname = 'readings_value'")).toBe('1');
  });

  test('--table: the table with rows, key, default and value of its sequence; the foreign key is named as left out', async () => {
    const name = source.newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--table', 'app.orders']);

    expectExit(end, 0);
    expect(await source.tablesOf(name)).toBe('app|orders');
    expect(end.stdout).toContain(
      'Left out, because it needs tables that were not chosen:\n  FK CONSTRAINT "app"."orders',
    );
    expect(await source.sql(name, 'select count(*) from app.orders')).toBe('500');
    expect(await source.sql(name, 'insert into app.orders (note) values (1) returning id')).toBe('501');
  });

  test('--schema-only: every table, index and key, and no row', async () => {
    const name = source.newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--schema-only']);

    expectExit(end, 0);
    expect(end.stdout).toContain('Restored the definitions, and no rows, in ');
    expect(await source.tablesOf(name)).toBe(ALL_TABLES);
    expect(await source.sql(name, 'select (select count(*) from app.notes), (select count(*) from app.readings)')).toBe(
      '0|0',
    );
    expect(await source.sql(name, "select count(*) from pg_constraint where conname = 'orders_note_fkey'")).toBe('1');
  });

  test('--data-only --table, into a table in use that was emptied: its rows are back, its sequence does not go back', async () => {
    const name = source.newName();
    await restoreCommand(['--target-url', targetUrl(name), '--create']);
    await source.sql(name, 'truncate app.orders');
    expect(await source.sql(name, 'insert into app.orders (note) values (1) returning id')).toBe('501');
    const args = ['--target-url', targetUrl(name), '--data-only', '--table', 'app.orders'];

    const refused = await restoreCommand(args);
    const end = await restoreCommand([...args, '--allow-non-empty']);

    expectExit(refused, 1);
    expect(refused.stderr).toMatch(/it must be empty\..* \[restore\.target_not_empty\]\n$/);
    expectExit(end, 0);
    expect(end.stdout).toContain('Sequences were left as they are');
    expect(await source.sql(name, 'select count(*), max(id) from app.orders')).toBe('501|501');
    expect(await source.sql(name, 'insert into app.orders (note) values (1) returning id')).toBe('502');
    expect(await source.sql(name, 'select count(*) from app.notes')).toBe('1000');
  });

  test('--data-only --table, and rows are there already: refused by the key, nothing is changed, and the way is named', async () => {
    const name = source.newName();
    await restoreCommand(['--target-url', targetUrl(name), '--create']);
    await source.sql(name, "update app.notes set body = 'newer' where id = 1; delete from app.notes where id = 1000");
    const args = ['--target-url', targetUrl(name), '--data-only', '--table', 'app.notes', '--allow-non-empty'];

    const end = await restoreCommand(args);

    expectExit(end, 1);
    expect(end.stderr).toContain('COPY into "app"."notes" failed (SQLSTATE 23505)');
    expect(end.stderr).toContain('how to put back only what is missing');
    expect(await source.sql(name, 'select count(*), min(body) filter (where id = 1) from app.notes')).toBe('999|newer');
    // What was begun is recorded: another selection is refused until somebody gives this one up.
    const other = await restoreCommand([
      '--target-url',
      targetUrl(name),
      '--data-only',
      '--table',
      'audit.log',
      '--allow-non-empty',
    ]);
    expectExit(other, 1);
    expect(other.stderr).toContain('drop schema nightshift_restore cascade');
  });

  test('the server fails in the middle (no space): a message without a stack, and the same command goes on', async () => {
    const name = source.newName();
    await restoreCommand(['--target-url', targetUrl(name), '--create', '--schema-only']);
    await source.sql(
      name,
      "create function no_space() returns trigger language plpgsql as $$ begin raise 'no space' using errcode = '53100'; end $$",
    );
    await source.sql(name, 'create trigger no_space before insert on audit.log execute function no_space()');
    const args = ['--target-url', targetUrl(name), '--data-only', '--table', 'audit.log', '--allow-non-empty'];

    const failed = await restoreCommand(args);
    await source.sql(name, 'drop trigger no_space on audit.log');
    const end = await restoreCommand(args);

    expectExit(failed, 1);
    expect(failed.stderr).toContain('(SQLSTATE 53100): no space. What was restored before is in the target');
    expect(failed.stderr).not.toMatch(/\n\s+at /);
    expectExit(end, 0);
    expect(await source.sql(name, 'select count(*) from audit.log')).toBe('1');
  });

  test('a table that is not in the backup: refused by its name, nothing is restored', async () => {
    const name = source.newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--table', 'app.Notes']);

    expectExit(end, 1);
    expect(end.stderr).toContain(`backup ${source.verified} holds no table "app"."Notes"; it has 4 tables with rows`);
    expect(await source.tablesOf(name)).toBe('');
  });
});
