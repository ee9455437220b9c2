// What the role of the restore drill can do in the database that is backed up: nothing. With the real role of bootstrap.
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';

describe('the role of the drill', () => {
  let cluster: OwnCluster;
  let dbname: string;
  let superuser: Client;

  beforeAll(async () => {
    cluster = await startOwnCluster();
    dbname = await cluster.createDatabase();
    superuser = await cluster.client(dbname);
    await cluster.bootstrap(dbname, { requestedBy: 'ada' });
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('the role of the drill, in the database that is backed up: it reads nothing, writes nothing, makes nothing there', async () => {
    await superuser.query('create schema app; create table app.secrets as select 1 as id; create sequence app.numbers');
    await superuser.query("select lo_from_bytea(70001, 'content')");
    const client = await cluster.client(dbname, roleLogin(cluster, 'DRILL_SECRET_ARN'));
    const refused = async (sql: string) =>
      await client.query(sql).then(
        () => `allowed: ${sql}`,
        (error: unknown) => Reflect.get(Object(error), 'code'),
      );

    const codes = [];
    for (const sql of [
      'select * from app.secrets',
      'insert into app.secrets values (2)',
      'update app.secrets set id = 2',
      'delete from app.secrets',
      'truncate app.secrets',
      'drop table app.secrets',
      "select nextval('app.numbers')",
      'select lo_get(70001)',
      'create table app.mine (id int)',
      'create table public.mine (id int)',
      'create schema mine',
      'select * from nightshift.migration',
      `alter database ${dbname} set lock_timeout = 1`,
      `drop database ${dbname}`,
    ])
      codes.push(await refused(sql));
    await client.end();

    expect(new Set(codes)).toEqual(new Set(['42501']));
  });

  test('PUBLIC may not connect to the database any more: the role of the drill cannot, the others can', async () => {
    await superuser.query(`revoke connect on database ${dbname} from public`);

    await expect(cluster.client(dbname, roleLogin(cluster, 'DRILL_SECRET_ARN'))).rejects.toMatchObject({
      code: '42501',
    });
    for (const other of ['BACKUP_SECRET_ARN', 'HEALTH_SECRET_ARN', 'PURGE_SECRET_ARN', 'MIGRATE_SECRET_ARN'] as const)
      await (await cluster.client(dbname, roleLogin(cluster, other))).end();
    await superuser.query(`grant connect on database ${dbname} to public`);
    await superuser.query('drop schema app cascade; select lo_unlink(70001)');
  });
});
