// The schema of the section purge in nightshift.config.ts, and what must hold between it and other sections.
import { z } from 'zod';
import { purgeSettings } from '../functions/purge/environment.ts';
import { arnOfKey, variable, wholeNumber } from './config-fields.ts';
import { loneFunctionSettings, sessionSettings } from './function-config.ts';

const GIB = 1_073_741_824;

/**
 * The longest a workflow may take: an execution may have 25,000 events in its history (Step Functions quotas), and the passes
 * that follow each other most quickly, with the shortest pause, make nine each.
 */
const LONGEST_HOURS = 20;

/**
 * Days after its end until the last version of an archive is gone: S3 counts both the days of the object and the one of the
 * version behind its delete marker from the next midnight, and takes its time after that.
 */
const GONE_AFTER_DAYS = 3;

export const purgeSection = z
  .strictObject(
    {
      ...loneFunctionSettings({ timeoutSeconds: 900, memoryMiB: 512 }),
      ...sessionSettings(purgeSettings),
      batchRows: variable(purgeSettings.BATCH_ROWS).optional().describe(purgeSettings.BATCH_ROWS.summary),
      targetBatchMs: variable(purgeSettings.TARGET_BATCH_MS).optional().describe(purgeSettings.TARGET_BATCH_MS.summary),
      longestHours: wholeNumber(1, LONGEST_HOURS, 'hours')
        .default(6)
        .describe(
          'After this long a purge with all its passes and pauses is over and reports a failure; the next one goes on where it stopped.',
        ),
      maxReplicaLagSeconds: variable(purgeSettings.MAX_REPLICA_LAG_SECONDS)
        .optional()
        .describe(purgeSettings.MAX_REPLICA_LAG_SECONDS.summary),
      maxSlotGiB: wholeNumber(1, 90_000, 'GiB')
        .optional()
        .describe(
          'Purge waits while a replication slot holds back more WAL than this, in GiB. Left out: it waits for no slot.',
        ),
      archiveKeepDays: wholeNumber(1, 3_650, 'days')
        .optional()
        .describe(
          'How long the bucket keeps what purge has archived; its last version is gone up to three days later. Left out: it is kept, and nothing deletes it.',
        ),
      pitrDays: variable(purgeSettings.PITR_DAYS).optional().describe(purgeSettings.PITR_DAYS.summary),
      signingKeyArn: arnOfKey
        .optional()
        .describe(
          'An asymmetric KMS key, in the region of the stack, that signs certificates; the subnets then need a way to KMS. Left out: they are not signed.',
        ),
      onlyAfterVerifiedBackupHours: variable(purgeSettings.VERIFIED_WITHIN_HOURS)
        .optional()
        .describe(purgeSettings.VERIFIED_WITHIN_HOURS.summary),
    },
    'must be the settings of purge',
  )
  .prefault({});

type PurgeSection = z.output<typeof purgeSection>;

/** The limit of the slots as the function takes it. */
export function maxSlotBytes({ maxSlotGiB }: Pick<PurgeSection, 'maxSlotGiB'>): number | undefined {
  return maxSlotGiB === undefined ? undefined : maxSlotGiB * GIB;
}

/** After how many days the bucket has certainly nothing of an archive any more; undefined when it keeps it. */
export function archiveKeptDays({ archiveKeepDays }: Pick<PurgeSection, 'archiveKeepDays'>): number | undefined {
  return archiveKeepDays === undefined ? undefined : archiveKeepDays + GONE_AFTER_DAYS;
}

/** What speaks against the section beside others, as path below purge and words; empty for nothing. */
export function purgeProblems(
  { archiveKeepDays, signingKeyArn }: Pick<PurgeSection, 'archiveKeepDays' | 'signingKeyArn'>,
  beside: { lockDays: number | undefined; region: string | undefined },
): string[] {
  const problems: string[] = [];
  if (archiveKeepDays !== undefined && beside.lockDays !== undefined && archiveKeepDays < beside.lockDays)
    problems.push(
      `archiveKeepDays: is ${archiveKeepDays}; must be at least ${beside.lockDays}, the days of backupStore.objectLock, which also locks archives of purge`,
    );
  if (signingKeyArn !== undefined && beside.region !== undefined && signingKeyArn.split(':')[3] !== beside.region)
    problems.push(`signingKeyArn: is "${signingKeyArn}"; must lie in ${beside.region}, the region of adminSecretArn`);
  return problems;
}
