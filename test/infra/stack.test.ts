import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { healthEvent } from '../../functions/health/contract.ts';
import { reportSettings } from '../../functions/report/environment.ts';
import { jobNames } from '../../infra/job-name.ts';
import { checkConfig } from '../../infra/load-config.ts';
import { processEnvironment } from '../../infra/process-environment.ts';
import { expectedJobs } from '../../infra/report-function.ts';
import { readDeployedStack } from '../../local/template/read-functions.ts';
import {
  drillTarget,
  now,
  ordersDatabase,
  propertiesOf,
  sampleDatabase,
  synthesize,
  templateOf,
} from './synthesized.ts';

const alone = synthesize([sampleDatabase()]);
const together = synthesize([sampleDatabase(), ordersDatabase()]);
const sample = templateOf(together, 'sample');
const orders = templateOf(together, 'orders');

function functionOf(database: string, job: string) {
  const functions = propertiesOf(templateOf(together, database), 'AWS::Lambda::Function');
  return functions.find(({ FunctionName }) => FunctionName === `nightshift-${database}-${job}`);
}

describe('two databases', () => {
  test('the sample beside another database: its template is the same as alone', () => {
    expect(sample.toJSON()).toEqual(templateOf(alone, 'sample').toJSON());
  });

  test('the stacks: neither imports from nor exports to the other', () => {
    for (const template of [sample, orders]) {
      expect(JSON.stringify(template.toJSON())).not.toContain('Fn::ImportValue');
      expect(JSON.stringify(template.toJSON().Outputs)).not.toContain('"Export"');
    }
    expect(JSON.stringify(sample.toJSON())).not.toContain('orders');
  });
});

describe.each(['sample', 'orders'])('functions of %s', (database) => {
  const template = templateOf(together, database);

  test.each([...jobNames])('%s: node 24 on arm64, source maps on, JSON log in its own group', (job) => {
    expect(functionOf(database, job)).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Environment: { Variables: { DATABASE_NAME: database, ...processEnvironment } },
      LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: expect.stringMatching(/Log/) } },
    });
    expect(propertiesOf(template, 'AWS::Logs::LogGroup')).toContainEqual(
      expect.objectContaining({
        LogGroupName: `/aws/lambda/nightshift-${database}-${job}`,
        RetentionInDays: database === 'sample' ? 400 : 90,
      }),
    );
  });

  test.each([
    ['bootstrap', 0],
    ['migrate', 0],
    ['backup', 0],
    ['verify', 0],
    ['restore-drill', 0],
    ['purge', 0],
    ['expire', 2],
    ['health', 2],
    ['report', 2],
  ])('%s fails on an event: Lambda tries it %i more times and then keeps it in the queue', (job, retries) => {
    const [id] = Object.keys(
      template.findResources('AWS::Lambda::Function', {
        Properties: { FunctionName: `nightshift-${database}-${job}` },
      }),
    );

    expect(propertiesOf(template, 'AWS::Lambda::EventInvokeConfig')).toContainEqual(
      expect.objectContaining({
        FunctionName: { Ref: id },
        MaximumRetryAttempts: retries,
        DestinationConfig: {
          OnFailure: { Destination: { 'Fn::GetAtt': [expect.stringMatching(/^EventQueuesFailed/), 'Arn'] } },
        },
      }),
    );
  });

  test('a name as long as the config allows: the names of the functions stay within the 64 of Lambda', () => {
    const name = 'a'.repeat(32);
    const long = templateOf(synthesize([sampleDatabase({ name })]), name);

    for (const { FunctionName } of propertiesOf(long, 'AWS::Lambda::Function'))
      expect(String(FunctionName).length).toBeLessThanOrEqual(64);
  });
});

describe('schedules', () => {
  const schedules = propertiesOf(sample, 'AWS::Scheduler::Schedule');
  const named = (name: string) => schedules.find(({ Name }) => Name === name);

  test('every schedule: it has a time zone, a queue for what it cannot deliver, and limits to its retries', () => {
    expect(schedules).toHaveLength(8);
    for (const { ScheduleExpressionTimezone, State, GroupName, Target } of schedules) {
      expect(ScheduleExpressionTimezone).toBe('Etc/UTC');
      expect(State).toBe('ENABLED');
      expect(GroupName).toBe('nightshift-sample');
      expect(Target.DeadLetterConfig.Arn['Fn::GetAtt'][0]).toMatch(/^EventQueuesUndelivered/);
      expect(Target.RetryPolicy.MaximumRetryAttempts).toBeLessThanOrEqual(3);
      expect(Target.RetryPolicy.MaximumEventAgeInSeconds).toBeLessThanOrEqual(3_600);
    }
  });

  test.each([
    ['backup', 'cron(0 2 * * ? *)', { job: 'backup' }],
    ['purge', 'cron(30 3 * * ? *)', { job: 'purge' }],
    ['expire', 'cron(30 4 * * ? *)', { job: 'expire' }],
    ['restore-drill', 'cron(0 5 1/3 * ? *)', { job: 'restore-drill' }],
    ['report', 'cron(0 6 * * ? *)', { job: 'report' }],
    ['health-minute', 'rate(1 minute)', { job: 'health', tier: 'minute' }],
    ['health-quarter-hour', 'rate(15 minutes)', { job: 'health', tier: 'quarter-hour' }],
    ['health-daily', 'cron(0 1 * * ? *)', { job: 'health', tier: 'daily' }],
  ])('%s: it runs at %s with an event that says what and for when', (name, expression, event) => {
    const schedule = named(name);

    expect(schedule?.ScheduleExpression).toBe(expression);
    expect(JSON.parse(schedule?.Target.Input)).toEqual({ ...event, scheduledTime: '<aws.scheduler.scheduled-time>' });
  });

  test.each(['health-minute', 'health-quarter-hour', 'health-daily'])('%s: the function accepts its event', (name) => {
    const event = JSON.parse(named(name)?.Target.Input.replace('<aws.scheduler.scheduled-time>', now.toISOString()));

    expect(healthEvent.safeParse(event).error).toBeUndefined();
  });

  test('a schedule by days: it starts within its window; one by minutes: it starts sharp', () => {
    expect(named('backup')?.FlexibleTimeWindow).toEqual({ Mode: 'FLEXIBLE', MaximumWindowInMinutes: 10 });
    expect(named('health-minute')?.FlexibleTimeWindow).toEqual({ Mode: 'OFF' });
  });
});

describe('backup store', () => {
  test('the bucket: encrypted with a key of its own that rotates, versioned, not public, and kept with the stack gone', () => {
    const [bucket] = Object.values(sample.findResources('AWS::S3::Bucket'));
    expect(bucket).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            {
              BucketKeyEnabled: true,
              ServerSideEncryptionByDefault: {
                SSEAlgorithm: 'aws:kms',
                KMSMasterKeyID: { 'Fn::GetAtt': [expect.stringMatching(/^BackupStoreKey/), 'Arn'] },
              },
            },
          ],
        },
      },
    });
    const keys = Object.values(sample.findResources('AWS::KMS::Key'));
    for (const { Properties } of keys) expect(Properties.EnableKeyRotation).toBe(true);
    const [kept] = keys.filter(({ DeletionPolicy }: { DeletionPolicy?: string }) => DeletionPolicy === 'Retain');
    expect(kept?.['Properties'].Description).toMatch(/backups/);
  });

  test('its life cycle: unfinished uploads go after 2 days, records, reports and samples of health after 400, backups never', () => {
    const [bucket] = Object.values(sample.findResources('AWS::S3::Bucket'));
    const rules: { Prefix?: string; ExpirationInDays?: number }[] = bucket?.['Properties'].LifecycleConfiguration.Rules;

    expect(rules).toContainEqual(
      expect.objectContaining({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } }),
    );
    const expiring = rules.filter(({ ExpirationInDays }) => ExpirationInDays !== undefined);
    expect(expiring.map(({ Prefix, ExpirationInDays }) => [Prefix, ExpirationInDays])).toEqual([
      ['sample/runs/', 400],
      ['sample/reports/', 400],
      ['sample/health/', 400],
    ]);
  });
});

describe('database access', () => {
  test.each([
    ['backup', 'shop'],
    ['drill', 'postgres'],
    ['purge', 'shop'],
    ['health', 'shop'],
    ['migrate', 'shop'],
  ])('the secret of role nightshift_%s: the RDS form with a generated password', (role, dbname) => {
    const found = orders.findResources('AWS::SecretsManager::Secret', {
      Properties: { Name: `nightshift/orders/${role}` },
    });
    const [secret] = Object.values(found).map(({ Properties }) => Properties);

    expect(secret?.GenerateSecretString).toMatchObject({ GenerateStringKey: 'password', PasswordLength: 40 });
    expect(JSON.parse(secret?.GenerateSecretString.SecretStringTemplate)).toEqual({
      engine: 'postgres',
      host: 'orders.abc.eu-west-1.rds.amazonaws.com',
      port: 5433,
      dbname,
      username: `nightshift_${role}`,
    });
    expect(secret?.KmsKeyId['Fn::GetAtt'][0]).toMatch(/^DatabaseAccessSecretKey/);
  });

  test('the templates: no secret value stands in them, and no function gets one in a variable', () => {
    for (const template of [sample, orders]) {
      const secrets = Object.values(template.findResources('AWS::SecretsManager::Secret'));
      expect(secrets).toHaveLength(5);
      for (const { Properties } of secrets) expect(Properties.SecretString).toBeUndefined();
      for (const { Properties } of Object.values(template.findResources('AWS::Lambda::Function')))
        expect(Object.keys(Properties.Environment.Variables).join()).not.toMatch(/PASSWORD|TOKEN|_KEY(?!_ARN)/);
      expect(JSON.stringify(template.toJSON())).not.toContain('{{resolve:');
    }
  });

  test('the security groups: out to the database and to HTTPS only, and in to the database from the functions only', () => {
    expect(propertiesOf(sample, 'AWS::EC2::SecurityGroup')).toEqual([
      expect.objectContaining({
        SecurityGroupEgress: [expect.objectContaining({ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443 })],
      }),
    ]);
    expect(propertiesOf(sample, 'AWS::EC2::SecurityGroupEgress')).toEqual([
      expect.objectContaining({ DestinationSecurityGroupId: 'sg-0123456789abcdef0', FromPort: 5432, ToPort: 5432 }),
    ]);
    expect(propertiesOf(sample, 'AWS::EC2::SecurityGroupIngress')).toEqual([
      expect.objectContaining({ GroupId: 'sg-0123456789abcdef0', FromPort: 5432, ToPort: 5432 }),
    ]);
  });

  test('a drill target: the functions reach it, on its port, beside the database', () => {
    const template = templateOf(synthesize([sampleDatabase({ restoreDrill: { target: drillTarget } })]), 'sample');

    for (const [type, group] of [
      ['AWS::EC2::SecurityGroupEgress', 'DestinationSecurityGroupId'],
      ['AWS::EC2::SecurityGroupIngress', 'GroupId'],
    ] as const) {
      const rules = propertiesOf(template, type).map((rule) => [rule[group], rule.FromPort, rule.ToPort]);
      expect(rules).toEqual([
        ['sg-0123456789abcdef0', 5432, 5432],
        ['sg-0aaaaaaaaaaaaaaaa', 5434, 5434],
      ]);
    }
  });

  test('a drill target with security group and port of the database: the rule is there already, and not made twice', () => {
    const target = { ...drillTarget, port: 5432, securityGroupId: 'sg-0123456789abcdef0' };
    const template = templateOf(synthesize([sampleDatabase({ restoreDrill: { target } })]), 'sample');

    expect(propertiesOf(template, 'AWS::EC2::SecurityGroupEgress')).toHaveLength(1);
    expect(propertiesOf(template, 'AWS::EC2::SecurityGroupIngress')).toHaveLength(1);
  });

  test('the queues: encrypted, over TLS only, kept for 14 days', () => {
    const encrypted = expect.objectContaining({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 });
    expect(propertiesOf(sample, 'AWS::SQS::Queue')).toEqual([encrypted, encrypted]);
    for (const { PolicyDocument } of propertiesOf(sample, 'AWS::SQS::QueuePolicy'))
      expect(PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      );
    expect(propertiesOf(sample, 'AWS::SQS::QueuePolicy')).toHaveLength(2);
  });
});

describe('settings that reach a function', () => {
  test('what the config does not say: the variable is left out, so the default of the function holds', () => {
    const ages = ['BACKUP_MAX_AGE_HOURS', 'VERIFIED_MAX_AGE_HOURS', 'DRILL_MAX_AGE_HOURS', 'HALF_DONE_MAX_AGE_HOURS'];
    const purge = ['PURGE_MAX_LAG_HOURS', 'PURGE_MAX_BACKLOG_ROWS'];
    const wanted = ['BACKUP_BUCKET', 'DATABASE_NAME', 'DATABASE_SECRET_ARN', 'MAX_CONNECTIONS', ...ages, ...purge];

    expect(Object.keys(functionOf('sample', 'health')?.Environment.Variables).toSorted()).toEqual(
      [...wanted, ...Object.keys(processEnvironment)].toSorted(),
    );
  });

  test('what the config says: it arrives in the unit of the variable', () => {
    expect(functionOf('orders', 'health')).toMatchObject({
      ReservedConcurrentExecutions: 3,
      TracingConfig: { Mode: 'Active' },
      Environment: { Variables: { LOCK_TIMEOUT_MS: '1000', STATEMENT_TIMEOUT_MS: '20000' } },
    });
    expect(functionOf('orders', 'expire')?.Environment.Variables).toMatchObject({
      KEEP_POLICY: 'within=30d,monthly=12',
      TIME_ZONE: 'Etc/UTC',
      KEEP_AT_LEAST: '7',
      KEEP_UNVERIFIED_DAYS: '7',
      MAX_DELETE_PERCENT: '50',
    });
  });

  test('restore-drill: instance, target and days reach it, and what is not configured stays unset', () => {
    const server = { ...sampleDatabase().server, instanceId: 'sample-1' };
    const restoreDrill = { olderEveryDays: 30, target: drillTarget };
    const [withTarget] = propertiesOf(
      templateOf(synthesize([sampleDatabase({ server, restoreDrill })]), 'sample'),
      'AWS::Lambda::Function',
    ).filter(({ FunctionName }) => FunctionName === 'nightshift-sample-restore-drill');

    expect(withTarget?.Environment.Variables).toMatchObject({
      OLDER_EVERY_DAYS: '30',
      DATABASE_INSTANCE_ID: 'sample-1',
      DRILL_TARGET_HOST: drillTarget.host,
      DRILL_TARGET_PORT: '5434',
      DRILL_TARGET_SECRET_ARN: drillTarget.secretArn,
      DRILL_TARGET_INSTANCE_ID: 'drill-1',
    });
    const plain = functionOf('sample', 'restore-drill')?.Environment.Variables;
    expect(plain.OLDER_EVERY_DAYS).toBe('7');
    expect(Object.keys(plain).filter((name) => /^DRILL_TARGET|INSTANCE_ID/.test(name))).toEqual([]);
  });

  test('TLS lowered in the config: every function with the database gets it, and synth warns', () => {
    const lowered = synthesize([sampleDatabase({ unsafeDatabaseTls: 'no-verify' })]);
    const functions = Object.values(templateOf(lowered, 'sample').findResources('AWS::Lambda::Function'));
    const unsafe = functions.filter(
      ({ Properties }) => Properties.Environment.Variables.UNSAFE_DATABASE_TLS === 'no-verify',
    );

    expect(unsafe).toHaveLength(6);
    expect(lowered.warnings['sample']?.join()).toContain('unsafeDatabaseTls is "no-verify"');
    expect(alone.warnings['sample']?.join()).not.toContain('unsafeDatabaseTls');
  });

  test('object lock in the config: the bucket locks every new object for so long; without it none is locked', () => {
    const locked = synthesize([sampleDatabase({ backupStore: { objectLock: { mode: 'compliance', days: 7 } } })]);
    const [bucket] = propertiesOf(templateOf(locked, 'sample'), 'AWS::S3::Bucket');

    expect(bucket).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 7 } },
      },
    });
    expect(propertiesOf(orders, 'AWS::S3::Bucket')[0]?.ObjectLockConfiguration).toBeUndefined();
    // The local night works on a bucket with the same lock.
    const bucketsOf = (template: Template) =>
      readDeployedStack({ name: 'n', resources: template.toJSON()['Resources'], assetFolder: () => '' }).buckets;
    expect(bucketsOf(templateOf(locked, 'sample'))).toMatchObject([{ versioned: true, objectLock: { days: 7 } }]);
    expect(bucketsOf(orders)).toMatchObject([{ versioned: true, objectLock: false }]);
  });

  test('a verification by samples: synth warns that expire counts a backup late', () => {
    const sampled = synthesize([sampleDatabase({ verify: { samples: 7 } })]);

    expect(sampled.warnings['sample']?.join()).toContain('verify.samples is 7');
    expect(alone.warnings['sample']?.join()).not.toContain('verify.samples');
  });

  test('the layer with the client tools: backup, verify, restore-drill and migrate get it, and without one synth warns', () => {
    const withLayer = jobNames.filter((job) => functionOf('orders', job)?.Layers?.length === 1);
    expect(withLayer).toEqual(['migrate', 'backup', 'verify', 'restore-drill']);
    expect(together.warnings['orders']).toEqual([]);
    expect(together.warnings['sample']?.join()).toContain('backup.postgresClient names no layer');
  });

  test('nobody to tell: synth warns', () => {
    const silent = synthesize([sampleDatabase({ alarms: { emails: [] } })]);

    expect(silent.warnings['sample']?.join()).toContain('alarms.emails is empty');
  });

  test('the jobs that the report expects: those that are scheduled, with hours that fit its setting', () => {
    const { databases } = checkConfig({ databases: [sampleDatabase()] }, now);
    const schedules = databases?.[0]?.schedules;
    if (schedules === undefined) throw new Error('the sample has no schedules');

    expect(expectedJobs(schedules)).toBe('backup=27,verify=27,purge=27,expire=27,restore-drill=75,health=1');
    expect(expectedJobs({ ...schedules, purge: null, restoreDrill: null })).toBe(
      'backup=27,verify=27,expire=27,health=1',
    );
    expect(reportSettings.EXPECTED_JOBS.parse(expectedJobs(schedules))).toBeDefined();
    expect(functionOf('sample', 'report')?.Environment.Variables.EXPECTED_JOBS).toBe(expectedJobs(schedules));
  });

  test('tags of the config: they stand on the resources, beside the name of the database', () => {
    expect(propertiesOf(orders, 'AWS::S3::Bucket')[0]?.Tags).toEqual([
      { Key: 'nightshift:database', Value: 'orders' },
      { Key: 'team', Value: 'shop' },
    ]);
  });
});
