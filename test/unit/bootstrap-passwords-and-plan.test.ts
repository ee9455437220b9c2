import { describe, expect, test } from 'vitest';
import { type ActualRole, planRoles } from '../../functions/bootstrap/plan-roles.ts';
import { preparePassword } from '../../functions/bootstrap/prepare-password.ts';
import { wantedRoles } from '../../functions/bootstrap/wanted-roles.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';

const prepare = (password: string) => preparePassword('nightshift_backup', new SecretText(password));

describe('preparePassword', () => {
  test('ASCII of every kind: stays as it is', () => {
    expect(prepare('aZ09 !"#$%&\'\t\u0001~')).toBe('aZ09 !"#$%&\'\t\u0001~');
  });

  test.each([
    ['a ligature', 'ﬁ', 'fi'],
    ['a roman numeral', 'Ⅸ', 'IX'],
    ['a feminine ordinal', 'ª', 'a'],
    ['letter and accent apart', 'e\u0301', 'é'],
    ['a no-break space', 'a\u00a0b', 'a b'],
    ['a soft hyphen', 'I\u00adX', 'IX'],
    ['an umlaut', 'Grüße', 'Grüße'],
    ['Cyrillic', 'пароль', 'пароль'],
  ])('%s: normalised as RFC 4013 says', (_what, password, prepared) => {
    expect(prepare(password)).toBe(prepared);
  });

  test.each([
    ['a control character beside an umlaut', 'ü\u0007'],
    ['private use', 'a\ue000'],
    ['a non-character', 'a\ufffe'],
    ['the replacement character', 'a\ufffd'],
    ['a right-to-left override', 'a\u202e'],
    ['a zero-width space', 'a\u200b'],
    ['half of a surrogate pair', 'a\ud800'],
    ['a tag character', 'a\u{e0041}'],
    ['only a soft hyphen', '\u00ad'],
    ['a zero byte', 'a\0'],
    ['a letter newer than Unicode 3.2 that would change', '\u{1f130}'],
    ['a changing character beside Hebrew', 'ﬁ\u05d0'],
  ])('%s: secret.wrong names the role and not the password', (_what, password) => {
    expect(() => prepare(password)).toThrow(expect.objectContaining({ code: 'secret.wrong' }));
    expect(() => prepare(password)).toThrow(/^the password in the secret of role "nightshift_backup" holds /);
    expect(() => prepare(password)).not.toThrow(password);
  });
});

describe('planRoles', () => {
  const role = wantedRoles.BACKUP_SECRET_ARN;
  const right: ActualRole = {
    name: role.name,
    login: true,
    superuser: false,
    createdb: false,
    createrole: false,
    replication: false,
    bypassrls: true,
    inherit: true,
    connection_limit: role.connectionLimit,
    settings: Object.entries(role.settings).map(([name, value]) => `${name}=${value}`),
    member_of: [...role.memberOf],
  };

  test('the role is as it must be: no statement at all', () => {
    const plan = planRoles([{ role, verifier: undefined }], [right]);

    expect(plan).toMatchObject({ statements: [], optional: [], findings: [] });
    expect(plan.unchanged).toContain('password of nightshift_backup');
  });

  test('the role has too many rights: only the differing attributes are named', () => {
    const plan = planRoles([{ role, verifier: undefined }], [{ ...right, createrole: true, connection_limit: -1 }]);

    expect(plan.statements.map(({ sql }) => sql)).toEqual([
      'alter role "nightshift_backup" nocreaterole connection limit 40',
    ]);
  });

  test('the password differs: the verifier is in the statement and not in what is shown', () => {
    const plan = planRoles([{ role, verifier: 'SCRAM-SHA-256$4096:abc' }], [right]);

    expect(plan.statements).toEqual([
      {
        what: 'password of nightshift_backup',
        sql: `alter role "nightshift_backup" password 'SCRAM-SHA-256$4096:abc'`,
        shown: `alter role "nightshift_backup" password '<SCRAM-SHA-256 verifier>'`,
      },
    ]);
  });

  test('a role that must not pass by row level security does: that is taken away', () => {
    const health = wantedRoles.HEALTH_SECRET_ARN;
    const plan = planRoles([{ role: health, verifier: undefined }], [{ ...right, name: health.name }]);

    expect(plan.statements[0]?.sql).toContain('nobypassrls');
  });
});
