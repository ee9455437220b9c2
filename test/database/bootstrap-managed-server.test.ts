// Bootstrap as on RDS: the administrator is not a superuser, has CREATEROLE and CREATEDB, owns the database, and is a
// member of what rds_superuser has, with the option to grant it on.
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';

const admin = { user: 'master', password: 'master-password' };

describe('bootstrap with an administrator that is no superuser', () => {
  let cluster: OwnCluster;
  let superuser: Client;
  let dbname: string;

  beforeAll(async () => {
    cluster = await startOwnCluster();
    superuser = await cluster.client('postgres');
    await superuser.query(`create role master login createrole createdb password '${admin.password}'`);
    await superuser.query('grant pg_monitor, pg_read_all_data to master with admin option');
  });
  beforeEach(async () => {
    dbname = await cluster.createDatabase();
    await superuser.query(`alter database ${dbname} owner to master`);
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('first run: everything is set up; BYPASSRLS cannot be granted and is a finding for each role with its way out', async () => {
    const result = await cluster.bootstrap(dbname, { admin });

    expect(result.loginsProven).toHaveLength(5);
    expect(result.findings.map(({ id, subject }) => `${id} ${subject}`)).toEqual([
      'bypassrls_not_granted nightshift_backup',
      'bypassrls_not_granted nightshift_purge',
    ]);
    expect(result.findings[0]?.fix).toContain('as superuser: alter role nightshift_backup bypassrls');
    const client = await cluster.client(dbname);
    const { rows } = await client.query(
      `select pg_get_userbyid(nspowner) as owner, pg_has_role('master', 'nightshift_migrate', 'usage') as still_member
       from pg_namespace where nspname = 'nightshift'`,
    );
    expect(rows).toEqual([{ owner: 'nightshift_migrate', still_member: false }]);
  });

  test('second run: nothing is changed, the findings stay', async () => {
    await cluster.bootstrap(dbname, { admin });

    const result = await cluster.bootstrap(dbname, { admin });

    expect(result.changed).toEqual([]);
    expect(result.findings).toHaveLength(2);
  });

  test('a rotated secret: the new password is set without a look at pg_authid', async () => {
    await cluster.bootstrap(dbname, { admin });
    cluster.passwords.PURGE_SECRET_ARN = 'rotated-password';

    const result = await cluster.bootstrap(dbname, { admin });

    expect(result.changed).toEqual(['password of nightshift_purge']);
    const client = await cluster.client(dbname, roleLogin(cluster, 'PURGE_SECRET_ARN'));
    await client.end();
  });

  test('migrate up and down as nightshift_migrate: roles are made and removed through the functions of bootstrap', async () => {
    await cluster.bootstrap(dbname, { admin });

    await cluster.migrate(dbname, { action: 'up' });
    const made = await superuser.query("select rolname, rolcanlogin from pg_roles where rolname ~ '^app_' order by 1");
    await cluster.migrate(dbname, { action: 'down', confirmLoss: true });
    const left = await superuser.query("select rolname from pg_roles where rolname ~ '^app_'");

    expect(made.rows).toEqual(
      ['app_admin', 'app_read_only', 'app_read_write'].map((rolname) => ({ rolname, rolcanlogin: false })),
    );
    expect(left.rows).toEqual([]);
  });

  test('the sample schema where BYPASSRLS was refused: backup and purge see every row by their policies', async () => {
    await cluster.bootstrap(dbname, { admin });
    await cluster.migrate(dbname, { action: 'up' });
    const client = await cluster.client(dbname);
    await client.query(
      `insert into app_schema.users (username, email, password_hash, status, created_at, updated_at)
       select 'user_' || i, 'u' || i || '@example.com', '$2b$12$' || repeat('x', 53), 'inactive', now() - interval '9 years', now() - interval '8 years'
       from generate_series(1, 10) i`,
    );
    const backup = await cluster.client(dbname, roleLogin(cluster, 'BACKUP_SECRET_ARN'));
    const purge = await cluster.client(dbname, roleLogin(cluster, 'PURGE_SECRET_ARN'));

    expect((await backup.query('select id from app_schema.users')).rowCount).toBe(10);
    expect((await purge.query('select id from app_schema.users for update skip locked')).rowCount).toBe(10);
    expect((await purge.query('delete from app_schema.users')).rowCount).toBe(10);
    // With row_security = off the server refuses instead of showing fewer rows.
    await purge.query('set row_security = off');
    await expect(purge.query('select id from app_schema.users')).rejects.toMatchObject({ code: '42501' });
    for (const one of [backup, purge]) await one.end();
    await cluster.migrate(dbname, { action: 'down', confirmLoss: true });
  });

  test('nightshift_migrate asks for a role with rights or a reserved name: it is refused', async () => {
    await cluster.bootstrap(dbname, { admin });
    const migrate = await cluster.client(dbname, roleLogin(cluster, 'MIGRATE_SECRET_ARN'));

    await expect(migrate.query("select nightshift.create_group_role('nightshift_evil')")).rejects.toMatchObject({
      code: '22023',
    });
    await expect(migrate.query("select nightshift.create_group_role('x login superuser')")).rejects.toMatchObject({
      code: '22023',
    });
    await expect(migrate.query('create role direct')).rejects.toMatchObject({ code: '42501' });
    await migrate.query("select nightshift.drop_group_role('master')");
    expect((await superuser.query("select 1 from pg_roles where rolname = 'master'")).rowCount).toBe(1);
    const purge = await cluster.client(dbname, roleLogin(cluster, 'PURGE_SECRET_ARN'));
    await expect(purge.query("select nightshift.create_group_role('group_of_purge')")).rejects.toMatchObject({
      code: '42501',
    });
    for (const one of [migrate, purge]) await one.end();
  });

  test('the database belongs to somebody else: bootstrap.refused with the statement and its owner, nothing is changed', async () => {
    const foreign = await cluster.createDatabase();

    await expect(cluster.bootstrap(foreign, { admin })).rejects.toMatchObject({
      code: 'bootstrap.refused',
      hint: expect.stringContaining('the owner of database'),
    });
  });

  test('schema nightshift belongs to the administrator: its owner becomes nightshift_migrate', async () => {
    const client = await cluster.client(dbname, admin);
    await client.query('create schema nightshift');
    await client.end();

    const result = await cluster.bootstrap(dbname, { admin });

    expect(result.changed).toContain('owner of schema nightshift (was master)');
  });

  test('a sequence of another owner: health cannot read it, which is a finding with its grant', async () => {
    const client = await cluster.client(dbname);
    await client.query('create sequence public.foreign_numbers');

    const result = await cluster.bootstrap(dbname, { admin });

    expect(result.findings).toContainEqual({
      id: 'sequence_unreadable',
      subject: 'public.foreign_numbers',
      problem: 'nightshift_health cannot read it (not its owner), so its exhaustion is unknown',
      fix: 'as role "postgres": grant select on sequence public.foreign_numbers to nightshift_health',
    });
  });
});
