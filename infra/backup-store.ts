// The bucket of the backups, run records and reports of one database, with its own key.
// Nothing in it may be lost with the stack, read in clear text on the wire, or overwritten where that would forge a backup.
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, StarPrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { mayCopy, type Replica, replicationRole, replicationRule } from './backup-replica.ts';
import type { DatabaseConfig } from './config.ts';

/** Days that run records, reports and samples of health are kept: a year and a month, so that this month can be compared with last year's. */
const RECORD_DAYS = 400;

type ObjectLock = NonNullable<DatabaseConfig['backupStore']['objectLock']>;

export class BackupStore extends Construct {
  readonly bucket: Bucket;
  readonly key: Key;
  /** First part of every key of this database, with its slash. */
  readonly prefix: string;

  constructor(
    scope: Construct,
    id: string,
    props: {
      database: string;
      objectLock?: ObjectLock | undefined;
      replica?: Replica | undefined;
      /** Days that archives of purge are kept; undefined: for good. */
      purgeArchiveDays?: number | undefined;
    },
  ) {
    super(scope, id);
    this.prefix = `${props.database}/`;
    this.key = new Key(this, 'Key', {
      description: `Nightshift ${props.database}: backups, run records and reports`,
      enableKeyRotation: true,
      // Without its key a backup is noise: the key outlives the stack as the bucket does.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const copies = props.replica && { database: props.database, replica: props.replica };
    const role = copies && replicationRole(this, copies);
    // No server access logs: they are best effort, and need a second bucket with a retention of its own. Who read or
    // deleted a backup is what CloudTrail data events of this bucket record, in the account's own trail.
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      // Every new object, so run records, claims and reports too: nothing of them is overwritten, and the lifecycle rules
      // below wait for the end of a lock.
      ...(props.objectLock && { objectLockDefaultRetention: defaultRetention(props.objectLock) }),
      ...(copies && role ? { replicationRole: role, replicationRules: [replicationRule(this, copies)] } : {}),
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        { id: 'abort-unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(2) },
        ...['runs/', 'reports/', 'health/'].map((folder) => ({
          id: `expire-${folder.slice(0, -1)}`,
          prefix: `${this.prefix}${folder}`,
          expiration: Duration.days(RECORD_DAYS),
          noncurrentVersionExpiration: Duration.days(1),
        })),
        // What purge has overwritten in an archive were rows that it never removed. Not the certificates below purged/: they
        // prove the erasure for as long as anybody may ask.
        {
          id: 'expire-purge-archive',
          prefix: `${this.prefix}purge-archive/`,
          ...(props.purgeArchiveDays !== undefined && { expiration: Duration.days(props.purgeArchiveDays) }),
          noncurrentVersionExpiration: Duration.days(1),
        },
      ],
    });
    if (copies && role) mayCopy(this, copies, { role, bucket: this.bucket, key: this.key });
    this.denyOverwriting('DenyOverwritingManifests', '*/manifest.json');
    this.denyOverwriting('DenyOverwritingClaims', '*/claims/*');
  }

  /** Refuses, to everybody, a put that does not say "only if there is no such object yet". */
  private denyOverwriting(sid: string, pattern: string): void {
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid,
        effect: Effect.DENY,
        principals: [new StarPrincipal()],
        actions: ['s3:PutObject'],
        resources: [this.bucket.arnForObjects(pattern)],
        conditions: { Null: { 's3:if-none-match': 'true' } },
      }),
    );
  }

  /** ARNs of the keys below this database's prefix that fit the patterns, e.g. `runs/backup/*`. */
  private objects(patterns: readonly string[]): string[] {
    return patterns.map((pattern) => this.bucket.arnForObjects(`${this.prefix}${pattern}`));
  }

  mayPut(sid: string, ...patterns: string[]): PolicyStatement {
    return new PolicyStatement({ sid, actions: ['s3:PutObject'], resources: this.objects(patterns) });
  }

  mayGet(sid: string, ...patterns: string[]): PolicyStatement {
    return new PolicyStatement({ sid, actions: ['s3:GetObject'], resources: this.objects(patterns) });
  }

  mayUse(sid: string, actions: string[], ...patterns: string[]): PolicyStatement {
    return new PolicyStatement({ sid, actions, resources: this.objects(patterns) });
  }

  /**
   * Listing, below the prefixes given.
   *
   * `IfExists`, because S3 asks for s3:ListBucket also when a GetObject finds no object, and that request has no prefix:
   * a plain StringLike would turn every "no such object" (404) into "access denied" (403).
   */
  mayList(sid: string, actions: string[], ...patterns: string[]): PolicyStatement {
    const prefixes = patterns.map((pattern) => `${this.prefix}${pattern}`);
    return new PolicyStatement({
      sid,
      actions,
      resources: [this.bucket.bucketArn],
      conditions: { StringLikeIfExists: { 's3:prefix': prefixes } },
    });
  }

  /** Use of the bucket's key, through S3 only. A put needs GenerateDataKey, a read Decrypt, and a multipart upload both. */
  mayUseKey(...actions: ('kms:GenerateDataKey' | 'kms:Decrypt')[]): PolicyStatement {
    return new PolicyStatement({
      sid: 'UseBackupKey',
      actions,
      resources: [this.key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `s3.${Stack.of(this).region}.amazonaws.com` } },
    });
  }
}

function defaultRetention({ mode, days }: ObjectLock): ObjectLockRetention {
  const duration = Duration.days(days);
  return mode === 'compliance' ? ObjectLockRetention.compliance(duration) : ObjectLockRetention.governance(duration);
}
