// The sections `alarms` and `replica` of nightshift.config.ts: who is told, how old things may get, and where copies go.
import { z } from 'zod';
import { HALF_DONE_HOURS, healthSettings, PURGE_BACKLOG_ROWS } from '../functions/health/environment.ts';
import { listOf, matching, variable } from './config-fields.ts';

export const alarmsSection = z.strictObject(
  {
    emails: listOf(z.email('must be a mail address'), 0, 'must be a list of mail addresses').describe(
      'Each gets a mail to confirm. An empty list is allowed, and warned about.',
    ),
    backupMaxAgeHours: variable(healthSettings.BACKUP_MAX_AGE_HOURS)
      .optional()
      .describe(
        'How old the newest backup may be. Left out: the interval of `schedules.backup`, its slack and its flexible window.',
      ),
    verifiedMaxAgeHours: variable(healthSettings.VERIFIED_MAX_AGE_HOURS)
      .optional()
      .describe(
        'How old the newest verified backup may be, which is the RPO. Left out: `backupMaxAgeHours` and the slack once more.',
      ),
    drillMaxAgeHours: variable(healthSettings.DRILL_MAX_AGE_HOURS)
      .optional()
      .describe(
        'How long ago the last restore drill that was ok may be. Left out: as for backups, from `schedules.restoreDrill`; with none, drills are not watched.',
      ),
    replicaMaxAgeHours: variable(healthSettings.REPLICA_MAX_AGE_HOURS)
      .optional()
      .describe('How old the newest backup in the replica may be. Left out: `verifiedMaxAgeHours` and 6.'),
    halfDoneMaxAgeHours: variable(healthSettings.HALF_DONE_MAX_AGE_HOURS)
      .default(HALF_DONE_HOURS)
      .describe(
        'How long a migration file may be half done: a long statement of it runs, or it was left in the middle.',
      ),
    purgeMaxLagHours: variable(healthSettings.PURGE_MAX_LAG_HOURS)
      .optional()
      .describe(
        'How long ago the last finished purge of any retention policy may have begun. Left out: three times the interval of `schedules.purge`; with none, it is not watched.',
      ),
    purgeMaxBacklogRows: variable(healthSettings.PURGE_MAX_BACKLOG_ROWS)
      .default(PURGE_BACKLOG_ROWS)
      .describe('How many rows past retention the last purges may have left, those under a legal hold not counted.'),
  },
  'must be { emails }',
);

export const replicaSection = z
  .strictObject(
    {
      bucketArn: matching(
        /^arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
        'must be the ARN of a bucket',
      ).describe('The bucket that gets the copies; it has versions and is not made by the stack.'),
      keyArn: matching(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/\S+$/, 'must be the ARN of a KMS key').describe(
        'The key of the copies, in the region of that bucket.',
      ),
      account: matching(/^\d{12}$/, 'must be the 12 digits of an account')
        .optional()
        .describe('The account of bucket and key, when it is another one; the copies then belong to it.'),
    },
    'must be { bucketArn, keyArn }',
  )
  .optional();
