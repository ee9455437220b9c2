import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkConfig } from '../../infra/load-config.ts';
import { type OwnCluster, startOwnCluster } from '../database/own-cluster.ts';
import { roles } from '../infra/role-statements.ts';
import { now, ordersDatabase, propertiesOf, sampleDatabase, synthesize, templateOf } from '../infra/synthesized.ts';
import { readPage } from './shell-blocks.ts';

const page = readPage('getting-started.md');

describe('the numbers of docs/getting-started.md', () => {
  const template = templateOf(synthesize([sampleDatabase()]), 'sample');

  test.each([
    ['AWS::CloudWatch::Alarm', (count: number) => `by alarm and month (${count} with the sample config)`],
    ['AWS::KMS::Key', (count: number) => `| KMS | ${count} keys by month`],
    ['AWS::SecretsManager::Secret', (count: number) => `| Secrets Manager | ${count} secrets by month`],
  ])('what costs money, %s: the page says how many the stack has', (type, text) => {
    expect(page).toContain(text(propertiesOf(template, type).length));
  });

  test('what stays after the stack is deleted: bucket and key, and nothing else', () => {
    const { Resources } = template.toJSON() as { Resources: Record<string, { Type: string; DeletionPolicy?: string }> };
    const kept = Object.values(Resources).filter(({ DeletionPolicy }) => DeletionPolicy?.startsWith('Retain'));

    expect(kept.map(({ Type }) => Type).toSorted()).toEqual(['AWS::KMS::Key', 'AWS::S3::Bucket']);
    expect(page).toContain('the bucket with all backups, and its KMS key');
  });

  test('the longest time of a backup: it is the limit of Lambda that the page names', () => {
    const [slow] = propertiesOf(template, 'AWS::Lambda::Function').filter(
      ({ FunctionName }) => FunctionName === 'nightshift-sample-backup',
    );

    expect(page).toContain(`Lambda's limit of ${slow?.Timeout / 60} minutes`);
  });

  test('the policies of the replica: they give the role of the stack what it asks for there, and no more', () => {
    const withReplica = templateOf(synthesize([ordersDatabase()]), 'orders');
    const role = propertiesOf(withReplica, 'AWS::IAM::Role').find(({ Description }) => /copies/.test(Description));
    const asked = roles(withReplica)
      .get(String(role?.Description))
      ?.filter(({ sid }) => sid === 'PutCopies' || sid === 'EncryptCopies')
      .flatMap(({ actions }) => actions);
    const policies = [...page.matchAll(/cat > [a-z]+-policy\.json <<END\n(.+?)\nEND\n/gs)].map(
      ([, text = '']): { Statement: { Sid: string; Action: string | string[]; Condition?: unknown }[] } =>
        JSON.parse(text),
    );
    const given = policies
      .flatMap(({ Statement }) => Statement)
      .filter(({ Sid }) => Sid === 'PutCopies' || Sid === 'EncryptCopies');

    expect(given.flatMap(({ Action }) => Action).toSorted()).toEqual(asked?.toSorted());
    expect(role?.RoleName).toBe('nightshift-orders-replication');
    for (const { Condition } of given)
      expect(JSON.stringify(Condition)).toContain(':role/nightshift-$DATABASE-replication');
  });

  test('the setting of the replica: the config takes it as the page writes it', () => {
    const [, text = ''] = /```ts\n(replica: \{.+?\}),\n```/s.exec(page) ?? [];
    const [bucketArn, keyArn, account] = [...text.matchAll(/'([^']+)'/g)].map(([, value]) => value);
    const replica = { bucketArn: bucketArn ?? '', keyArn: keyArn?.replace('…', '1') ?? '', account };

    expect(checkConfig({ databases: [sampleDatabase({ replica })] }, now).problems).toBeUndefined();
  });

  test('the layer: the functions that need it run on the processor that the page builds it for', () => {
    const processors = propertiesOf(template, 'AWS::Lambda::Function').map(({ Architectures }) => Architectures);

    expect(new Set(processors.flat())).toEqual(new Set(['arm64']));
    expect(page).toContain('--compatible-architectures arm64');
    expect(page).toContain('layers/postgres-client/build.sh arm64 layer ');
  });

  test('the setting that builds the layer: the config takes it as the page writes it', () => {
    const [, majors = '[]'] = /^backup: \{ postgresClient: \{ majors: (\[.+\]) \} \},$/m.exec(page) ?? [];
    const backup = { postgresClient: { majors: JSON.parse(majors) } };

    expect(checkConfig({ databases: [sampleDatabase({ backup })] }, now).problems).toBeUndefined();
  });
});

describe.each(['superuser', 'an administrator as on RDS'] as const)('"Remove it", run as %s', (kind) => {
  let cluster: OwnCluster;
  let dbname: string;
  let administrator: Client;

  beforeAll(async () => {
    cluster = await startOwnCluster();
    const superuser = await cluster.client('postgres');
    dbname = await cluster.createDatabase();
    const login = kind === 'superuser' ? cluster.superuser : { user: 'master', password: 'master' };
    if (kind !== 'superuser') {
      await superuser.query("create role master login createrole createdb password 'master'");
      await superuser.query('grant pg_monitor, pg_read_all_data to master with admin option');
      await superuser.query(`alter database ${dbname} owner to master`);
    }
    await cluster.bootstrap(dbname, { admin: login });
    await cluster.migrate(dbname, { action: 'up' });
    administrator = await cluster.client(dbname, login);
  });
  afterAll(async () => await cluster.stop());

  test('the statements of the page: roles and schema are gone, the tables of the application stay', async () => {
    const statements = /```sql\n(grant nightshift_backup.*?)```/s.exec(page)?.[1] ?? '';

    for (const statement of statements.trim().split(';\n')) await administrator.query(statement);

    const { rows } = await administrator.query(
      `select
         (select count(*)::int from pg_roles where rolname like 'nightshift%') as roles,
         to_regnamespace('nightshift') as schema,
         (select tableowner = current_user from pg_tables where schemaname = 'app_schema' and tablename = 'users') as kept`,
    );
    expect(rows).toEqual([{ roles: 0, schema: null, kept: true }]);
  });
});
