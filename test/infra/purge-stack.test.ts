// What is particular to purge in the template: its settings, its rights, the end of its archives, and the limits of its alarms.
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { purgeSettings } from '../../functions/purge/environment.ts';
import { purgeKeys } from '../../functions/shared/backup-layout.ts';
import type { DatabaseSettings } from '../../infra/config.ts';
import { allowedOn, roles, statementsOfJob } from './role-statements.ts';
import { propertiesOf, sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const signingKeyArn = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';

const templateWith = (replaced: Partial<DatabaseSettings>) =>
  templateOf(synthesize([sampleDatabase(replaced)]), 'sample');
const plain = templateWith({});
const full = templateWith({
  expire: { keep: { within: '30d' }, keepAtLeast: 7, keepUnverifiedDays: 7 },
  purge: {
    targetBatchMs: 80,
    maxReplicaLagSeconds: 5,
    maxSlotGiB: 10,
    archiveKeepDays: 90,
    pitrDays: 7,
    signingKeyArn,
    onlyAfterVerifiedBackupHours: 24,
  },
});

const variablesOf = (template: Template, job: string): Record<string, unknown> =>
  propertiesOf(template, 'AWS::Lambda::Function').find(
    ({ FunctionName }) => FunctionName === `nightshift-sample-${job}`,
  )?.Environment.Variables;

describe('settings of the function', () => {
  test('what the config says: it arrives in the unit of its variable, and the function takes it', () => {
    const given = {
      TARGET_BATCH_MS: '80',
      MAX_REPLICA_LAG_SECONDS: '5',
      MAX_SLOT_BYTES: '10737418240',
      // With the days that S3 takes until the last version is gone.
      ARCHIVE_KEPT_DAYS: '93',
      PITR_DAYS: '7',
      BACKUPS_KEPT_DAYS: '39',
      SIGNING_KEY_ARN: signingKeyArn,
      VERIFIED_WITHIN_HOURS: '24',
    };

    expect(variablesOf(full, 'purge')).toMatchObject(given);
    for (const [name, setting] of Object.entries(purgeSettings))
      if (name in given) expect(setting.parse(String(Reflect.get(given, name)))).toBeDefined();
    expect(Object.keys(variablesOf(plain, 'purge')).filter((name) => name in given)).toEqual(['BACKUPS_KEPT_DAYS']);
  });
});

describe('the bucket', () => {
  const ruleOf = (template: Template) => {
    const [bucket] = propertiesOf(template, 'AWS::S3::Bucket');
    const rules: { Prefix?: string }[] = bucket?.LifecycleConfiguration.Rules;
    return rules.filter(({ Prefix }) => Prefix?.includes('purge') === true);
  };
  const always = {
    Id: 'expire-purge-archive',
    Prefix: 'sample/purge-archive/',
    Status: 'Enabled',
    NoncurrentVersionExpiration: { NoncurrentDays: 1 },
  };

  test('the config keeps archives for some days: every version of them goes then, and no certificate', () => {
    const { archive, certificate } = purgeKeys('sample', 'p', '1');

    expect(ruleOf(full)).toEqual([{ ...always, ExpirationInDays: 90 }]);
    expect(archive.startsWith(always.Prefix)).toBe(true);
    expect(certificate.startsWith(always.Prefix)).toBe(false);
  });

  test('the config says nothing: archives are kept, and only what was overwritten in them goes', () => {
    expect(ruleOf(plain)).toEqual([always]);
  });
});

describe('rights', () => {
  const actionsOf = (template: Template) =>
    statementsOfJob(template, 'sample', 'purge').flatMap(({ actions }) =>
      actions.filter((action) => /^(s3|kms):/.test(action)),
    );
  const onBucket = (template: Template, action: string) =>
    allowedOn(statementsOfJob(template, 'sample', 'purge'), action);
  const under = (...patterns: string[]) => patterns.map((pattern) => `BUCKET/sample/${pattern}`);

  test('it may leave archives, certificates and its run record, read the former two, and delete nothing', () => {
    expect(onBucket(plain, 's3:PutObject')).toEqual(under('purge-archive/*', 'purged/*', 'runs/purge/*'));
    expect(onBucket(plain, 's3:GetObject')).toEqual(under('purge-archive/*', 'purged/*'));
    // The last one is for its secret.
    const wanted = [
      's3:PutObject',
      's3:GetObject',
      's3:ListBucket',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'kms:Decrypt',
    ];
    expect(actionsOf(plain)).toEqual(wanted);
  });

  test('certificates are signed: purge alone may use that key, to sign and to read its public half', () => {
    const users = [...roles(full)].flatMap(([role, statements]) =>
      statements.flatMap(({ resources, actions }) =>
        resources.includes(signingKeyArn) ? [{ role, resources, actions }] : [],
      ),
    );

    expect(users).toEqual([
      { role: 'Nightshift sample: purge', resources: [signingKeyArn], actions: ['kms:GetPublicKey', 'kms:Sign'] },
    ]);
    expect(JSON.stringify([...roles(plain)])).not.toContain('kms:Sign');
  });

  test('it waits for a verified backup: it may find manifests and evidence, and read no archive of a backup', () => {
    const find = statementsOfJob(full, 'sample', 'purge').find(({ sid }) => sid === 'FindBackupEvidence');

    expect(onBucket(full, 's3:GetObject')).toEqual(
      under('*/drilled/*', '*/manifest.json', '*/verified/*', 'purge-archive/*', 'purged/*'),
    );
    expect(find?.condition).toEqual({
      StringLikeIfExists: { 's3:prefix': ['sample/', 'sample/*/verified/*', 'sample/*/drilled/*'] },
    });
    expect(onBucket(full, 's3:PutObject')).toEqual(onBucket(plain, 's3:PutObject'));
  });
});

describe('limits of the alarms', () => {
  const { schedules, alarms } = sampleDatabase();

  test('the config gives them: the alarm on the lag has it in seconds, and health in hours', () => {
    const given = templateWith({ alarms: { ...alarms, purgeMaxLagHours: 30, purgeMaxBacklogRows: 7 } });
    const lag = propertiesOf(given, 'AWS::CloudWatch::Alarm').find(
      ({ AlarmName }) => AlarmName === 'nightshift-sample-purge-lag',
    );

    expect(variablesOf(given, 'health')).toMatchObject({ PURGE_MAX_LAG_HOURS: '30', PURGE_MAX_BACKLOG_ROWS: '7' });
    expect(lag).toMatchObject({ Threshold: 108_000 });
  });

  test('purge runs by hand only: health watches no lag, and what is left all the same', () => {
    const byHand = variablesOf(templateWith({ schedules: { ...schedules, purge: null } }), 'health');

    expect(byHand).not.toHaveProperty('PURGE_MAX_LAG_HOURS');
    expect(byHand).toHaveProperty('PURGE_MAX_BACKLOG_ROWS');
  });
});
