// Copies of the backups in another region or account, by S3 replication: the rule, and the role with which S3 carries it out.
// Called by backup-store.ts when the config has a `replica`. The bucket that gets the copies is not made here.
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket, type ReplicationRule } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { DatabaseConfig } from './config.ts';

export type Replica = NonNullable<DatabaseConfig['replica']>;

/** Below it lie the backups with their evidence, and neither runs/, reports/, claims/ nor health/: their ids begin with the year. */
const BACKUPS = '2';

interface ReplicaProps {
  database: string;
  replica: Replica;
}

/** The role of S3; `mayCopy` gives it its rights once the bucket is there, which itself needs the role. */
export function replicationRole(scope: Construct, { database }: ReplicaProps): Role {
  return new Role(scope, 'ReplicationRole', {
    // Known before the stack is there, because the policies of the bucket and key elsewhere name it (docs/getting-started.md).
    roleName: `nightshift-${database}-replication`,
    // Without a condition, as in the S3 User Guide (permissions for live replication): nowhere is it said that S3 names the
    // account when it takes this role, and a condition that it does not meet would stop the copying without a word.
    assumedBy: new ServicePrincipal('s3.amazonaws.com'),
    description: `Nightshift ${database}: copies of the backups`,
  });
}

/** The rule: all backups, encrypted ones too, and no deletion: what is deleted here stays there until its own lifecycle. */
export function replicationRule(scope: Construct, { database, replica }: ReplicaProps): ReplicationRule {
  const { account } = Stack.of(scope);
  const isOther = replica.account !== undefined && replica.account !== account;
  return {
    id: 'copy-backups',
    priority: 1,
    destination: Bucket.fromBucketAttributes(scope, 'ReplicaBucket', {
      bucketArn: replica.bucketArn,
      account: replica.account ?? account,
    }),
    kmsKey: Key.fromKeyArn(scope, 'ReplicaKey', replica.keyArn),
    sseKmsEncryptedObjects: true,
    deleteMarkerReplication: false,
    filter: { prefix: `${database}/${BACKUPS}` },
    // Else a copy in another account would belong to this one, and whoever takes over this account could take the copies too.
    accessControlTransition: isOther,
  };
}

/** What the role needs: to read the versions of backups, and to put copies below the same prefix; nothing of it deletes. */
export function mayCopy(
  scope: Construct,
  { database, replica }: ReplicaProps,
  from: { role: Role; bucket: IBucket; key: IKey },
): Policy {
  const stack = Stack.of(scope);
  const objects = `${database}/${BACKUPS}*`;
  const viaS3 = (region: string) => ({ StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } });
  const keyRegion = stack.splitArn(replica.keyArn, ArnFormat.SLASH_RESOURCE_NAME).region ?? stack.region;
  const isOther = replica.account !== undefined && replica.account !== stack.account;
  const statements = [
    new PolicyStatement({
      sid: 'ReadRule',
      actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
      resources: [from.bucket.bucketArn],
    }),
    new PolicyStatement({
      sid: 'ReadBackups',
      actions: ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
      resources: [from.bucket.arnForObjects(objects)],
    }),
    new PolicyStatement({
      sid: 'PutCopies',
      actions: ['s3:ReplicateObject', 's3:ReplicateTags', ...(isOther ? ['s3:ObjectOwnerOverrideToBucketOwner'] : [])],
      resources: [`${replica.bucketArn}/${objects}`],
    }),
    new PolicyStatement({
      sid: 'ReadEncrypted',
      actions: ['kms:Decrypt'],
      resources: [from.key.keyArn],
      conditions: viaS3(stack.region),
    }),
    new PolicyStatement({
      sid: 'EncryptCopies',
      // Decrypt: parts of a large object, and the bucket's own key where it uses one, are checked with it.
      actions: ['kms:Encrypt', 'kms:GenerateDataKey', 'kms:Decrypt'],
      resources: [replica.keyArn],
      conditions: viaS3(keyRegion),
    }),
  ];
  return new Policy(scope, 'ReplicationPolicy', { roles: [from.role], statements });
}
