import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../../local/migrate/parse-arguments.ts';

const URL_VARIABLE = { DATABASE_URL: 'postgres://m@localhost/shop' };

describe('parseArguments', () => {
  test('up with everything: each is read', () => {
    const args = 'up --to 3 --dry-run --json --requested-by ana --lock-timeout 500 --lock-attempts 3 --folder f'.split(
      ' ',
    );

    expect(parseArguments(args, URL_VARIABLE)).toMatchObject({
      action: 'up',
      login: { url: { host: 'localhost', dbname: 'shop' } },
      to: 3,
      dryRun: true,
      json: true,
      requestedBy: 'ana',
      lockTimeoutMs: 500,
      lockAttempts: 3,
      folder: 'f',
    });
  });

  test('--database before the variables: the entry of the config, although DATABASE_URL is set', () => {
    expect(parseArguments(['status', '--database', 'shop'], URL_VARIABLE)).toMatchObject({
      login: { name: 'shop', config: 'nightshift.config.ts' },
    });
  });

  test('lint without a database: allowed, and only that', () => {
    expect(parseArguments(['lint'], {})).toMatchObject({ action: 'lint', login: undefined, format: 'text' });
    expect(() => parseArguments(['plan'], {})).toThrow('no database is given');
  });

  test('--help: whatever else is said', () => {
    expect(parseArguments(['--help'], {})).toBe('help');
  });

  test.each<[string, Record<string, string>, string]>([
    ['', URL_VARIABLE, 'no action is given'],
    ['up now', URL_VARIABLE, '"now" is given after up'],
    ['up', {}, 'no database is given'],
    ['up', { DATABASE_URL: ' ', DATABASE_NAME: '' }, 'no database is given'],
    ['up', { ...URL_VARIABLE, DATABASE_NAME: 'shop' }, 'DATABASE_URL and DATABASE_NAME are both given'],
    ['up --to -1', URL_VARIABLE, "Option '--to' argument is ambiguous"],
    ['up --to 12345', URL_VARIABLE, '--to is "12345"; it must be a whole number from 0 to 9999'],
    ['up --loss', URL_VARIABLE, "Unknown option '--loss'"],
    ['up --exit-code', URL_VARIABLE, '--exit-code is not an option of up'],
    ['baseline --to 0', URL_VARIABLE, 'baseline needs --to'],
    ['lint --format xml', {}, '--format is "xml"; it must be text, json, sarif, github'],
    ['up --lock-attempts 0', URL_VARIABLE, '--lock-attempts is "0"; it must be a whole number from 1 to 100'],
  ])('"%s" with %j: refused, and nothing was done', (line, environment, words) => {
    const parse = () => parseArguments(line.split(' ').filter(Boolean), environment);

    expect(parse).toThrow(words);
    expect(parse).toThrow('Nothing was read or changed');
  });
});
