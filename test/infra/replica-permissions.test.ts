// What S3 may do with the backups where a replica is configured: copy them, and nothing else.
import { describe, expect, test } from 'vitest';
import { backupKeys, claimKeys, reportKeys } from '../../functions/shared/backup-layout.ts';
import { runRecordsPrefix } from '../../functions/shared/run-record.ts';
import { allowedOn, roles } from './role-statements.ts';
import { ordersDatabase, propertiesOf, sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const synthesized = synthesize([sampleDatabase(), ordersDatabase()]);

describe('replica', () => {
  const orders = templateOf(synthesized, 'orders');
  const [bucket] = propertiesOf(orders, 'AWS::S3::Bucket');
  const statements = roles(orders).get('Nightshift orders: copies of the backups') ?? [];

  test('the rule: encrypted backups with their evidence, no deletions, owned by the account of the copies', () => {
    expect(bucket?.ReplicationConfiguration.Rules).toEqual([
      {
        Id: 'copy-backups',
        Priority: 1,
        Status: 'Enabled',
        Filter: { Prefix: 'orders/2' },
        SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
        DeleteMarkerReplication: { Status: 'Disabled' },
        Destination: {
          Bucket: 'arn:aws:s3:::orders-copies',
          Account: '777788889999',
          AccessControlTranslation: { Owner: 'Destination' },
          EncryptionConfiguration: {
            ReplicaKmsKeyID: 'arn:aws:kms:eu-central-1:777788889999:key/66666666-7777-8888-9999-000000000000',
          },
        },
      },
    ]);
  });

  test('the prefix of the rule: every backup id begins with it, and no other folder of the database', () => {
    const keys = backupKeys('orders', '20261122T020000Z');
    const others = [claimKeys('orders', 'x', 1).claim, reportKeys('orders', 'x').html, runRecordsPrefix('orders')];

    expect([keys.manifest, keys.verified('v'), keys.archive].every((key) => key.startsWith('orders/2'))).toBe(true);
    expect(others.filter((key) => key.startsWith('orders/2'))).toEqual([]);
  });

  test('the role of S3: it may read versions of backups here and put copies there, and delete nowhere', () => {
    expect(allowedOn(statements, 's3:GetObjectVersionForReplication')).toEqual(['BUCKET/orders/2*']);
    expect(allowedOn(statements, 's3:GetReplicationConfiguration')).toEqual(['BUCKET']);
    expect(allowedOn(statements, 's3:ReplicateObject')).toEqual(['arn:aws:s3:::orders-copies/orders/2*']);
    expect(allowedOn(statements, 's3:ObjectOwnerOverrideToBucketOwner')).toEqual([
      'arn:aws:s3:::orders-copies/orders/2*',
    ]);
    expect(
      statements.flatMap(({ actions }) => actions).filter((action) => /Delete|PutObject|GetObject$/.test(action)),
    ).toEqual([]);
  });

  test('its keys: the one here for reading, the one there for the copies, both through S3 of that region only', () => {
    const keys = statements.filter(({ actions }) => actions.some((action) => action.startsWith('kms:')));

    expect(keys.map(({ actions, condition }) => [actions, condition])).toEqual([
      [['kms:Decrypt'], { StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } }],
      [
        ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey'],
        { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } },
      ],
    ]);
  });

  test('only S3 may take the role', () => {
    const role = propertiesOf(orders, 'AWS::IAM::Role').find(({ Description }) => /copies/.test(Description));

    expect(role?.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Action: 'sts:AssumeRole',
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
      },
    ]);
  });

  test('a replica in the same account: no change of owner', () => {
    const own = {
      bucketArn: 'arn:aws:s3:::sample-copies',
      keyArn: 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555',
    };
    const template = templateOf(synthesize([sampleDatabase({ replica: own })]), 'sample');
    const [rule] = propertiesOf(template, 'AWS::S3::Bucket')[0]?.ReplicationConfiguration.Rules ?? [];

    expect(rule.Destination).toEqual({
      Bucket: own.bucketArn,
      EncryptionConfiguration: { ReplicaKmsKeyID: own.keyArn },
    });
    const actions = roles(template)
      .get('Nightshift sample: copies of the backups')
      ?.flatMap((one) => one.actions);
    expect(actions).toContain('s3:ReplicateObject');
    expect(actions).not.toContain('s3:ObjectOwnerOverrideToBucketOwner');
  });

  test('no replica is configured: the bucket has no rule, and no role is there for one', () => {
    const sample = templateOf(synthesized, 'sample');

    expect(propertiesOf(sample, 'AWS::S3::Bucket')[0]?.ReplicationConfiguration).toBeUndefined();
    expect([...roles(sample).keys()].filter((role) => role.includes('copies'))).toEqual([]);
  });
});
