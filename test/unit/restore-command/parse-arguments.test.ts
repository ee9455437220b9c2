import { describe, expect, test } from 'vitest';
import { LocalRunError } from '../../../local/local-run-error.ts';
import { HELP, parseArguments, type RestoreArguments } from '../../../local/restore/parse-arguments.ts';

const environment = {
  RESTORE_TARGET_URL: 'postgres://app@localhost/shop',
  BACKUP_BUCKET: 'bucket',
  DATABASE_NAME: 'shop',
};

function parsed(...args: string[]): RestoreArguments {
  const options = parseArguments(args, environment);
  if (options === 'help') throw new Error('help was asked for');
  return options;
}

describe('parseArguments', () => {
  test('nothing is given: everything of the newest verified backup, in four sessions, into an empty database', () => {
    expect(parsed()).toMatchObject({
      bucket: 'bucket',
      database: 'shop',
      backupId: undefined,
      target: { host: 'localhost', dbname: 'shop', username: 'app' },
      selection: { schemas: [], tables: [], part: 'all' },
      jobs: 4,
      create: false,
      allowNonEmpty: false,
      allowUnproven: false,
      dryRun: false,
      noOwner: false,
      noPrivileges: false,
      noTablespaces: false,
    });
  });

  test('options go before the environment', () => {
    const { bucket, database, target } = parsed(
      '--bucket',
      'b',
      '--database',
      'd',
      '--target-url',
      'postgres://u@h:1/x',
    );

    expect([bucket, database, target.host, target.dbname]).toEqual(['b', 'd', 'h', 'x']);
  });

  test.each([
    ['app.notes', 'app', 'notes'],
    ['App.Größe', 'App', 'Größe'],
    ['"my.schema"."Odd ""Name"""', 'my.schema', 'Odd "Name"'],
    ['app."a.b"', 'app', 'a.b'],
    ['my schema.a b', 'my schema', 'a b'],
  ])('--table %s: its schema and name', (text, schema, name) => {
    expect(parsed('--table', text).selection.tables).toEqual([{ schema, name }]);
  });

  test.each(['notes', 'a.b.c', '.notes', 'app.', '"app.notes', 'a"b.c', ''])(
    '--table "%s": refused with the form',
    (text) => {
      expect(() => parsed('--table', text)).toThrow(
        `--table is "${text}"; it must be schema.name. Nothing was read or changed`,
      );
    },
  );

  test('schemas and tables may be given again; the part is one word', () => {
    expect(parsed('--schema', 'a', '--schema', 'b', '--table', 'c.d', '--data-only').selection).toEqual({
      schemas: ['a', 'b'],
      tables: [{ schema: 'c', name: 'd' }],
      part: 'data-only',
    });
    expect(parsed('--schema-only').selection.part).toBe('schema-only');
  });

  test.each(['20261122T020000Z', '20261122T020000Z-2', '20261122T020000Z-3'])('--backup %s: taken', (id) => {
    expect(parsed('--backup', id).backupId).toBe(id);
  });

  test.each([
    [['--backup', '2026-11-22'], '--backup is "2026-11-22"; it must be the id of a backup'],
    [['--backup', '20261122T020000Z-4'], '--backup is "20261122T020000Z-4"'],
    [['--allow-unproven'], '--allow-unproven is given without --backup'],
    [['--schema-only', '--data-only'], '--schema-only and --data-only are both given'],
    [['--jobs', '0'], '--jobs is "0"; it must be a whole number from 1 to 32'],
    [['--jobs', '33'], '--jobs is "33"'],
    [['--jobs', '1.5'], '--jobs is "1.5"'],
    [['--jobs', ''], '--jobs is ""'],
    [['--wrong'], "Unknown option '--wrong'"],
    [['surplus'], "Unexpected argument 'surplus'"],
    [['--schema'], "Option '--schema <value>' argument missing"],
  ])('%j: refused with the value and what is allowed', (args, expected) => {
    expect(() => parsed(...args)).toThrow(LocalRunError);
    expect(() => parsed(...args)).toThrow(expected);
  });

  test.each([
    ['RESTORE_TARGET_URL', '--target-url'],
    ['BACKUP_BUCKET', '--bucket'],
    ['DATABASE_NAME', '--database'],
  ])('%s is blank and %s is not given: refused with both names', (variable, option) => {
    expect(() => parseArguments([], { ...environment, [variable]: '  ' })).toThrow(
      `${option} is missing (also: ${variable})`,
    );
  });

  test('--help: nothing else is looked at, and the text has every option that is known', () => {
    expect(parseArguments(['--help'], {})).toBe('help');
    for (const option of [
      'target-url',
      'create',
      'bucket',
      'database',
      'backup',
      'allow-unproven',
      'schema',
      'table',
      'schema-only',
      'data-only',
      'no-owner',
      'no-privileges',
      'no-tablespaces',
      'jobs',
      'allow-non-empty',
      'dry-run',
    ])
      expect(HELP).toContain(`--${option} `);
  });
});
