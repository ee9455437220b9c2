// Migrations with a deployment: when the trigger of the template invokes, what, and in which order.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../infra/function-bundle.ts';
import { migrationChecksum } from '../../infra/migration-checksum.ts';
import { propertiesOf, sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const synthesized = synthesize([sampleDatabase({ migrate: { atDeploy: true } })]);
const template = templateOf(synthesized, 'sample');
const checksum = migrationChecksum(join(projectRoot, 'sql/migrations'));

const functionOf = (name: string) =>
  propertiesOf(template, 'AWS::Lambda::Function').find(({ FunctionName }) => FunctionName === name);
const triggers = Object.entries(template.findResources('Custom::Trigger'));

describe('migrateAtDeploy', () => {
  test('the trigger: it waits 14 minutes for the answer, and an update of it never invokes', () => {
    expect(triggers).toHaveLength(1);
    expect(triggers[0]?.[1]['Properties']).toMatchObject({
      InvocationType: 'RequestResponse',
      Timeout: '840000',
      ExecuteOnHandlerChange: false,
      HandlerArn: { Ref: expect.stringMatching(/^MigrateAtDeployFunctionCurrentVersion/) },
    });
  });

  test('the trigger is called after the migrations: others make another one, which CloudFormation creates and so invokes', () => {
    expect(triggers[0]?.[0]).toMatch(new RegExp(`^MigrateTrigger${checksum.slice(0, 16)}`));
  });

  test('the function: it is migrate with another entry, ends a minute before the trigger gives up, and names the stack', () => {
    const { Environment, Timeout, VpcConfig, ...atDeploy } = functionOf('nightshift-sample-migrate-at-deploy') ?? {};
    const migrate = functionOf('nightshift-sample-migrate');

    expect(Timeout).toBe(780);
    expect(Environment.Variables).toEqual({ ...migrate?.Environment.Variables, STACK_NAME: 'Nightshift-sample' });
    expect(VpcConfig).toEqual(migrate?.VpcConfig);
    expect(atDeploy).toMatchObject({ MemorySize: 1024, LoggingConfig: { LogFormat: 'JSON' } });
  });

  test('a shorter time limit in the config: it holds for this function too', () => {
    const short = templateOf(
      synthesize([sampleDatabase({ migrate: { atDeploy: true, timeoutSeconds: 300 } })]),
      'sample',
    );
    const limits = propertiesOf(short, 'AWS::Lambda::Function')
      .filter(({ FunctionName }) => String(FunctionName).includes('-migrate'))
      .map(({ Timeout }) => Timeout);

    expect(limits).toEqual([300, 300]);
  });

  test('the order: the way into the database, the secrets with their key and the policy of the bucket are there before it', () => {
    const dependsOn: string[] = triggers[0]?.[1]['DependsOn'];
    const idsOf = (type: string, pattern: RegExp) =>
      Object.keys(template.findResources(type)).filter((id) => pattern.test(id));
    const needed = [
      ...idsOf('AWS::EC2::SecurityGroupIngress', /./),
      ...idsOf('AWS::EC2::SecurityGroup', /./),
      ...idsOf('AWS::SecretsManager::Secret', /MigrateSecret/),
      ...idsOf('AWS::KMS::Key', /SecretKey|BackupStore/),
      ...idsOf('AWS::S3::Bucket', /./),
      ...idsOf('AWS::S3::BucketPolicy', /./),
    ];

    expect(needed.length).toBeGreaterThanOrEqual(7);
    expect(dependsOn).toEqual(expect.arrayContaining(needed));
  });

  test('a failed migration fails the deployment, which tells whoever deploys: the function has no alarm of its own', () => {
    const alarms = propertiesOf(template, 'AWS::CloudWatch::Alarm').map(({ AlarmName }) => String(AlarmName));

    expect(alarms.filter((name) => name.includes('migrate'))).toEqual([
      'nightshift-sample-migrate-failures',
      'nightshift-sample-migrate-workflow-failures',
    ]);
    expect(
      propertiesOf(template, 'AWS::Lambda::EventInvokeConfig').map(({ MaximumRetryAttempts }) => MaximumRetryAttempts),
    ).toContain(0);
  });

  test('synth says at each deployment what it needs and that a rollback reverts nothing', () => {
    expect(synthesized.warnings['sample']?.join()).toMatch(
      /migrate\.atDeploy .*Bootstrap must .*a rollback reverts no migration/,
    );
  });

  test('it is off: there is no trigger, no second function and no warning', () => {
    const off = synthesize([sampleDatabase()]);

    expect(templateOf(off, 'sample').findResources('Custom::Trigger')).toEqual({});
    expect(JSON.stringify(templateOf(off, 'sample').toJSON())).not.toContain('at-deploy');
    expect(off.warnings['sample']?.join()).not.toContain('atDeploy');
  });
});

describe('migrationChecksum', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nightshift-checksum-'));
    cpSync(join(projectRoot, 'sql/migrations'), folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('the same files elsewhere: the same checksum; a new up file, and a changed one: another; a down file: none', () => {
    const before = migrationChecksum(folder);
    writeFileSync(join(folder, '0999_more.down.sql'), 'select 1;');
    const withDown = migrationChecksum(folder);
    writeFileSync(join(folder, '0999_more.up.sql'), 'select 1;');
    const withUp = migrationChecksum(folder);
    writeFileSync(join(folder, '0999_more.up.sql'), 'select 2;');
    const changed = migrationChecksum(folder);

    expect([before, withDown]).toEqual([checksum, checksum]);
    expect(new Set([before, withUp, changed]).size).toBe(3);
  });
});
