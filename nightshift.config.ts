// The databases that Nightshift looks after, one stack each. Replace the ids of the sample by your own, then
// `npx cdk synth` says everything that is wrong at once. infra/config.ts holds every setting with its range and default.
import type { NightshiftConfig } from './infra/config.ts';

export const config = {
  databases: [
    {
      // Names the stack (Nightshift-sample), the functions (nightshift-sample-backup), S3 keys and metrics.
      name: 'sample',

      // The writer of the RDS instance or Aurora cluster, and the database to look after.
      server: { host: 'sample.cluster-c0example.eu-central-1.rds.amazonaws.com', port: 5432, dbname: 'sample' },

      // The secret of the administrator (rds_superuser), as RDS manages it. Only bootstrap may read it.
      // Its region and account are those of the stack.
      adminSecretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!cluster-sample-AbCdEf',

      // Where the functions run. The subnets need a way to S3 and Secrets Manager (NAT gateway or VPC endpoints).
      // A rule that lets the functions in is added to the security group of the database.
      vpc: {
        vpcId: 'vpc-0123456789abcdef0',
        availabilityZones: ['eu-central-1a', 'eu-central-1b'],
        privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
        databaseSecurityGroupId: 'sg-0123456789abcdef0',
      },

      // All jobs together may not open more connections than this; synth adds them up.
      connectionBudget: 32,

      // The night. null in place of a schedule: the job runs only when it is invoked by hand.
      schedules: {
        timeZone: 'Etc/UTC',
        healthMinute: { everyMinutes: 1 },
        healthQuarterHour: { everyMinutes: 15 },
        healthDaily: { everyDays: 1, at: '01:00' },
        backup: { everyDays: 1, at: '02:00' },
        purge: { everyDays: 1, at: '03:30' },
        expire: { everyDays: 1, at: '04:30' },
        restoreDrill: { everyDays: 3, at: '05:00' },
        report: { everyDays: 1, at: '06:00' },
      },

      // pg_dump and pg_restore for Lambda: synth builds a layer for the major of the server (it needs Docker, or Debian or
      // Ubuntu, and the network), or takes yours: { layerArn: 'arn:aws:lambda:…:layer:postgres-client:1' }.
      // backup: { postgresClient: { majors: [17] } },

      // Which backups are kept: all of the last 30 days, and the newest of each of the last 12 months. Only verified ones
      // count. It deletes, so it has no default; `npm run expire -- --plan` shows what it would do.
      expire: { keep: { within: '30d', monthly: 12 }, keepAtLeast: 7, keepUnverifiedDays: 7 },

      // Nobody deletes a backup before its time, not even an administrator of the database or of expire.
      // Decide before the first deploy; a lock may not be longer than expire keeps a backup.
      // backupStore: { objectLock: { mode: 'governance', days: 7 } },

      // Who is told. Each address gets a mail to confirm at the first deploy. How old backups and drills may get follows
      // from the schedules, unless it is set here (backupMaxAgeHours, verifiedMaxAgeHours, drillMaxAgeHours).
      alarms: { emails: ['database-team@example.com'] },

      // Copies of the backups in another region or account; that bucket comes first (docs/getting-started.md).
      // replica: { bucketArn: 'arn:aws:s3:::…', keyArn: 'arn:aws:kms:…:key/…', account: '444455556666' },

      // During planned work: no schedule starts and no alarm on silence or age reports. Deploy again after that date.
      // pausedUntil: '2027-01-07',
    },
  ],
} satisfies NightshiftConfig;
