import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { preparePassword } from '../../functions/bootstrap/prepare-password.ts';
import { scramVerifier } from '../../functions/bootstrap/scram-verifier.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';

describe('bootstrap', () => {
  let cluster: OwnCluster;
  let dbname: string;
  let superuser: Client;

  beforeAll(async () => {
    cluster = await startOwnCluster({ logging_collector: 'on', log_filename: "'server.log'", log_statement: 'all' });
    dbname = await cluster.createDatabase();
    superuser = await cluster.client(dbname);
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('dry run on an empty cluster: the statements are shown without verifiers, and nothing is there afterwards', async () => {
    const result = await cluster.bootstrap(dbname, { dryRun: true });

    expect(result.statements).toContain(
      `create role "nightshift_backup" login connection limit 40 password '<SCRAM-SHA-256 verifier>'`,
    );
    expect(result.statements).toContain('create schema nightshift authorization nightshift_migrate');
    expect(JSON.stringify(result)).not.toMatch(/SCRAM-SHA-256\$/);
    const { rows } = await superuser.query(
      "select (select count(*) from pg_roles where rolname ~ '^nightshift_') as roles, to_regnamespace('nightshift') as schema",
    );
    expect(rows).toEqual([{ roles: '0', schema: null }]);
  });

  test('an empty cluster: all roles log in with their secrets and have what their job needs, not more', async () => {
    const result = await cluster.bootstrap(dbname, { requestedBy: 'ada' });

    expect(result.loginsProven).toHaveLength(5);
    expect(result.findings).toEqual([]);
    const { rows } = await superuser.query(
      `select rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolconnlimit > 0 as limited,
         array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid) as groups
       from pg_roles r where rolname ~ '^nightshift_' order by 1`,
    );
    const plain = {
      rolsuper: false,
      rolcreatedb: false,
      rolcreaterole: false,
      rolreplication: false,
      rolbypassrls: false,
      limited: true,
    };
    expect(rows).toEqual([
      { ...plain, rolname: 'nightshift_backup', rolbypassrls: true, groups: ['pg_read_all_data'] },
      { ...plain, rolname: 'nightshift_drill', rolcreatedb: true, groups: [] },
      { ...plain, rolname: 'nightshift_health', groups: ['pg_monitor'] },
      { ...plain, rolname: 'nightshift_migrate', rolcreatedb: true, groups: ['pg_monitor'] },
      { ...plain, rolname: 'nightshift_purge', rolbypassrls: true, groups: ['pg_read_all_stats'] },
    ]);
    const history = await superuser.query(
      'select kind, number, requested_by, database_role, login_role from nightshift.migration order by number',
    );
    expect(history.rows).toEqual(
      [1, 2, 3, 4, 5].map((number) => ({
        kind: 'nightshift',
        number,
        requested_by: 'ada',
        database_role: 'nightshift_migrate',
        login_role: 'postgres',
      })),
    );
    const steps = await superuser.query(
      "select count(*)::int as count from nightshift.migration_step where outcome = 'done'",
    );
    expect(steps.rows[0]?.count).toBeGreaterThan(20);
  });

  test('run again: nothing is changed, and it says what was as it should be', async () => {
    const result = await cluster.bootstrap(dbname);

    expect(result.changed).toEqual([]);
    expect(result.unchanged).toContain('password of nightshift_backup');
    expect(result.unchanged.length).toBeGreaterThan(40);
  });

  test('dry run when all is as it should be: it would change nothing', async () => {
    const result = await cluster.bootstrap(dbname, { dryRun: true });

    expect(result).toMatchObject({ changed: [], statements: [], dryRun: true });
  });

  test('a role was altered by hand: only that is put right', async () => {
    await superuser.query('alter role nightshift_purge createdb connection limit -1');
    await superuser.query('revoke insert on nightshift.purge_run from nightshift_purge');
    await superuser.query('alter role nightshift_health reset statement_timeout');

    const result = await cluster.bootstrap(dbname);

    expect(result.changed).toEqual([
      'attributes of nightshift_purge: nocreatedb connection limit 6',
      'statement_timeout of nightshift_health: 60s',
      'insert on table nightshift.purge_run for nightshift_purge',
    ]);
  });

  test('a role is a member of more than its job needs: it is reported, not taken away', async () => {
    await superuser.query('grant pg_write_all_data to nightshift_health');

    const result = await cluster.bootstrap(dbname);

    expect(result.findings).toMatchObject([{ id: 'extra_membership', subject: 'nightshift_health' }]);
    await superuser.query('revoke pg_write_all_data from nightshift_health');
  });

  test('a secret was rotated: the new password works, the old one does not, the others are untouched', async () => {
    const old = roleLogin(cluster, 'BACKUP_SECRET_ARN');
    cluster.passwords.BACKUP_SECRET_ARN = 'Grüße-from-ﬁle';

    const result = await cluster.bootstrap(dbname);

    expect(result.changed).toEqual(['password of nightshift_backup']);
    await expect(cluster.client(dbname, old)).rejects.toMatchObject({ code: '28P01' });
    const client = await cluster.client(dbname, roleLogin(cluster, 'BACKUP_SECRET_ARN'));
    await client.end();
  });

  test('the password never reaches the server: neither pg_authid nor the log of all statements holds it in clear text', async () => {
    cluster.passwords.DRILL_SECRET_ARN = `clear-${randomBytes(8).toString('hex')}`;
    await cluster.bootstrap(dbname);

    const { rows } = await superuser.query("select rolpassword from pg_authid where rolname = 'nightshift_drill'");

    expect(rows[0]?.rolpassword).toMatch(/^SCRAM-SHA-256\$4096:/);
    expect(rows[0]?.rolpassword).toBe(
      scramVerifier(
        cluster.passwords.DRILL_SECRET_ARN,
        Buffer.from(String(rows[0]?.rolpassword).split(/[:$]/)[2] ?? '', 'base64'),
      ),
    );
    const log = readFileSync(join(cluster.folder, 'data', 'log', 'server.log'), 'utf8');
    expect(log).toContain('alter role "nightshift_drill" password \'SCRAM-SHA-256$');
    expect(log).not.toContain(cluster.passwords.DRILL_SECRET_ARN);
  });

  test.each([
    'plain-ASCII 123',
    'tab\tand\u0001control',
    'Grüße',
    'ﬁle²',
    'non\u00a0breaking',
    'soft\u00adhyphen',
    'Ⅳ',
    'e\u0301',
  ])('password %j: the verifier equals the one that the server makes from clear text', async (password) => {
    const role = `server_made_${randomBytes(4).toString('hex')}`;
    await superuser.query(`create role ${role} password '${password}'`);
    const { rows } = await superuser.query<{ verifier: string }>(
      'select rolpassword as verifier from pg_authid where rolname = $1',
      [role],
    );
    const [, iterations = '', salt = ''] = rows[0]?.verifier.split(/[$:]/) ?? [];

    const own = scramVerifier(
      preparePassword(role, new SecretText(password)),
      Buffer.from(salt, 'base64'),
      Number(iterations),
    );

    expect(own).toBe(rows[0]?.verifier);
    await superuser.query(`drop role ${role}`);
  });

  test('the verifier by RFC 5802 written out a second time: the same keys', () => {
    const salt = Buffer.from('0123456789abcdef');
    const salted = pbkdf2Sync('pencil', salt, 4096, 32, 'sha256');
    const mac = (key: string) => createHmac('sha256', salted).update(key).digest();
    const stored = createHash('sha256').update(mac('Client Key')).digest('base64');

    expect(scramVerifier('pencil', salt)).toBe(
      `SCRAM-SHA-256$4096:${salt.toString('base64')}$${stored}:${mac('Server Key').toString('base64')}`,
    );
  });

  test('a secret belongs to another role or database: secret.wrong names both, and no role is touched', async () => {
    const swapped = cluster.bootstrap(dbname, { secrets: { PURGE_SECRET_ARN: { username: 'nightshift_health' } } });
    await expect(swapped).rejects.toMatchObject({
      code: 'secret.wrong',
      problem:
        'the secret for role "nightshift_purge" has username "nightshift_health", but must have "nightshift_purge"',
    });

    const elsewhere = cluster.bootstrap(dbname, { secrets: { PURGE_SECRET_ARN: { dbname: 'other' } } });
    await expect(elsewhere).rejects.toMatchObject({
      code: 'secret.wrong',
      problem: expect.stringContaining('"other"'),
    });
  });

  test('the administrator has a wrong password: database.login_refused names the role', async () => {
    await expect(cluster.bootstrap(dbname, { admin: { user: 'postgres', password: 'wrong' } })).rejects.toMatchObject({
      code: 'database.login_refused',
      problem: expect.stringContaining('"postgres"'),
    });
  });

  test('the administrator may not create roles: bootstrap.refused before anything is changed', async () => {
    await superuser.query("create role weak login password 'weak'");

    await expect(cluster.bootstrap(dbname, { admin: { user: 'weak', password: 'weak' } })).rejects.toMatchObject({
      code: 'bootstrap.refused',
      problem: 'role "weak" of ADMIN_SECRET_ARN may not create roles',
      safeState: 'Nothing was changed',
    });
    await superuser.query('drop role weak');
  });

  test('another bootstrap runs: the second is refused at once with the holder', async () => {
    const other = await cluster.client(dbname);
    await other.query("select pg_advisory_lock(hashtextextended('nightshift:bootstrap', 0))");

    await expect(cluster.bootstrap(dbname)).rejects.toMatchObject({
      code: 'job.locked',
      problem: expect.stringMatching(
        /needs the lock "nightshift:bootstrap" \(exclusive\), which is held by pid \d+ \("test"/,
      ),
    });
    await other.end();
  });

  test('two bootstraps at once on an empty cluster database: one succeeds, the other succeeds after it or is refused clearly', async () => {
    const second = await cluster.createDatabase();

    const results = await Promise.allSettled([cluster.bootstrap(second), cluster.bootstrap(second)]);

    const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason.code);
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(refused.every((code) => code === 'job.locked')).toBe(true);
    expect((await cluster.bootstrap(second)).changed).toEqual([]);
  });

  test('a backup holds the schema lock: new schema files wait for the next run, a rotated password does not', async () => {
    const third = await cluster.createDatabase();
    const backup = await cluster.client(third);
    await backup.query("select pg_advisory_lock_shared(hashtextextended('nightshift:schema', 0))");
    await expect(cluster.bootstrap(third)).rejects.toMatchObject({ code: 'job.locked' });
    await backup.query('select pg_advisory_unlock_all()');
    await cluster.bootstrap(third);
    await backup.query("select pg_advisory_lock_shared(hashtextextended('nightshift:schema', 0))");
    cluster.passwords.HEALTH_SECRET_ARN = randomBytes(12).toString('hex');

    const result = await cluster.bootstrap(third);

    expect(result.changed).toEqual(['password of nightshift_health']);
    await backup.end();
  });

  test('a schema file fails half-way: everything is rolled back, also the roles of this run', async () => {
    const fourth = await cluster.createDatabase();
    const folder = {
      name: 'nightshift',
      list: () => ['0001_broken.sql'],
      read: () => 'create table nightshift.migration (id int);\nselect 1 / 0;',
    };
    await superuser.query('alter role nightshift_purge connection limit 3');

    await expect(cluster.bootstrap(fourth, { folder })).rejects.toMatchObject({
      code: 'bootstrap.refused',
      problem: expect.stringContaining(
        'nightshift/0001_broken.sql:2:1: statement 2 "select 1 / 0" failed (SQLSTATE 22012)',
      ),
      safeState: expect.stringContaining('Everything was rolled back'),
    });

    const client = await cluster.client(fourth);
    const { rows } = await client.query(
      "select to_regnamespace('nightshift') as schema, (select rolconnlimit from pg_roles where rolname = 'nightshift_purge') as limit",
    );
    expect(rows).toEqual([{ schema: null, limit: 3 }]);
  });

  test('a purge batch is running: the INSERT of a legal hold returns only after its commit', async () => {
    const batch = await cluster.client(dbname);
    const person = await cluster.client(dbname);
    await batch.query("begin; select pg_advisory_xact_lock_shared(nightshift.lock_key('nightshift:legal_hold'))");

    let placed = false;
    const place = async () => {
      await person.query(
        "insert into nightshift.legal_hold (schema_name, table_name, key_value, reason) values ('nightshift', 'migration', '1', 'court')",
      );
      placed = true;
    };
    const placing = place();
    await expect
      .poll(
        async () =>
          (await superuser.query("select 1 from pg_locks where locktype = 'advisory' and not granted")).rowCount,
      )
      .toBe(1);
    expect(placed).toBe(false);
    await batch.query('commit');
    await placing;

    expect(placed).toBe(true);
    await batch.end();
    await person.end();
  });
});
