import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../../local/purge/parse-arguments.ts';

const URL_VARIABLE = { DATABASE_URL: 'postgres://p@localhost/shop' };
const RUN = { ...URL_VARIABLE, BACKUP_BUCKET: 'backups' };
const words = (line: string) => line.split(' ').filter(Boolean);

describe('parseArguments', () => {
  test('nothing: a plan, because nothing that deletes is a default', () => {
    expect(parseArguments([], URL_VARIABLE)).toMatchObject({
      action: { name: 'plan', policy: undefined, subject: undefined },
      login: { url: { dbname: 'shop' } },
      json: false,
    });
  });

  test('--run with everything: each is read', () => {
    const hash = '0123456789abcdef0123456789abcdef';

    expect(
      parseArguments(
        words(`--run --policy events --plan-hash ${hash} --bucket b --signing-key arn --requested-by ana --json`),
        URL_VARIABLE,
      ),
    ).toMatchObject({
      action: { name: 'run', policy: 'events', planHash: hash, bucket: 'b' },
      signingKeyArn: 'arn',
      requestedBy: 'ana',
      json: true,
    });
  });

  test('--run with the bucket of the environment: that one', () => {
    expect(parseArguments(['--run'], RUN)).toMatchObject({ action: { name: 'run', bucket: 'backups' } });
  });

  test.each([
    ['users:42', { schema: undefined, table: 'users', key: '42' }],
    ['app.users:42', { schema: 'app', table: 'users', key: '42' }],
    ['"Odd.name"."a:b":x:y', { schema: 'Odd.name', table: 'a:b', key: 'x:y' }],
    ['"quo""ted":1', { schema: undefined, table: 'quo"ted', key: '1' }],
    ['pair:["a", "7"]', { schema: undefined, table: 'pair', key: '["a", "7"]' }],
    ['app.users', { schema: 'app', table: 'users', key: undefined }],
  ])('--hold %s: schema, table and key', (row, expected) => {
    expect(parseArguments(['--hold', row, '--reason', 'case 1'], URL_VARIABLE)).toMatchObject({
      action: { name: 'hold', row: expected, reason: 'case 1', ofPerson: false, until: undefined },
    });
  });

  test.each([
    ['2027-06-30', '2027-06-30T00:00:00.000Z'],
    ['2027-06-30T12:30Z', '2027-06-30T12:30:00.000Z'],
  ])('--until %s: that instant in UTC', (until, instant) => {
    expect(parseArguments(['--hold', 'a:1', '--reason', 'r', '--until', until], URL_VARIABLE)).toMatchObject({
      action: { until: instant },
    });
  });

  test('--verify, --check-archive: need no database', () => {
    expect(parseArguments(words('--verify c/certificate.json --public-key k.pem'), {})).toMatchObject({
      action: { name: 'verify', certificate: 'c/certificate.json', publicKey: 'k.pem', bucket: undefined },
      login: undefined,
    });
    expect(parseArguments(words('--check-archive a/archive.json --bucket b'), {})).toMatchObject({
      action: { name: 'check-archive', key: 'a/archive.json', bucket: 'b' },
    });
  });

  test('--verify of a file while BACKUP_BUCKET is set: still the file', () => {
    expect(parseArguments(words('--verify certificate.json'), { BACKUP_BUCKET: 'b' })).toMatchObject({
      action: { bucket: undefined },
    });
  });

  test('--help: whatever else is said', () => {
    expect(parseArguments(['--help'], {})).toBe('help');
  });

  test.each<[string, Record<string, string>, string]>([
    ['--run', URL_VARIABLE, '--run needs --bucket'],
    ['--run --plan', RUN, '--plan and --run are both given'],
    ['--plan', {}, 'no database is given'],
    ['--plan --reason r', URL_VARIABLE, '--reason is not an option of --plan'],
    ['--run --policy a --subject users:1 --reference r', RUN, '--policy and --subject are both given'],
    ['--subject users:1', URL_VARIABLE, '--subject needs --reference'],
    ['--subject users --reference r', URL_VARIABLE, '--subject names a table and no key'],
    ['--subject users: --reference r', URL_VARIABLE, '--subject is no [schema.]table[:key]'],
    ['--subject users:7 --reference 7', URL_VARIABLE, '--reference is the key of the person'],
    ['--subject users:7 --reference a?b', URL_VARIABLE, '--reference must be made of letters'],
    ['--reference r', URL_VARIABLE, '--reference is given without --subject'],
    ['--hold users:1', URL_VARIABLE, '--hold needs --reason'],
    ['--hold users:1 --reason r --until tomorrow', URL_VARIABLE, '--until is "tomorrow"'],
    ['--hold users:1 --reason r --until 2027-13-01', URL_VARIABLE, '--until is "2027-13-01"'],
    ['--stop', URL_VARIABLE, '--stop needs --reason'],
    ['--release x', URL_VARIABLE, '--release is "x"'],
    ['--run --plan-hash abc', RUN, '--plan-hash is "abc"; it must be 32 hex digits'],
    ['--sign k', {}, '--sign needs --bucket'],
    ['--delete', URL_VARIABLE, "Unknown option '--delete'"],
    ['events', URL_VARIABLE, "Unexpected argument 'events'"],
  ])('"%s" with %j: refused, and nothing was done', (line, environment, problem) => {
    const parse = () => parseArguments(words(line), environment);

    expect(parse).toThrow(problem);
    expect(parse).toThrow('Nothing was read or changed');
  });

  test('the key of a person that cannot be read: not repeated', () => {
    expect(() => parseArguments(['--subject', 'a.b.c:secret-key', '--reference', 'r'], URL_VARIABLE)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret-key') }),
    );
  });
});
