// The schema of the job sections in nightshift.config.ts: time, memory, sessions and what is particular to a job.
import { z } from 'zod';
import { backupSettings } from '../functions/backup/environment.ts';
import { expireSettings } from '../functions/expire/environment.ts';
import { healthSettings } from '../functions/health/environment.ts';
import { migrateSettings } from '../functions/migrate/environment.ts';
import { purgeSettings } from '../functions/purge/environment.ts';
import { restoreDrillSettings } from '../functions/restore-drill/environment.ts';
import { listOf, matching, variable, wholeNumber } from './config-fields.ts';

/** What every function has; `timeoutSeconds` is at least 60 because a job stops itself 30 s before its limit. */
function functionSettings(defaults: { timeoutSeconds: number; memoryMiB: number }) {
  return {
    timeoutSeconds: wholeNumber(60, 900, 'seconds')
      .default(defaults.timeoutSeconds)
      .describe('Time limit of a run; the job stops itself 30 s before it.'),
    memoryMiB: wholeNumber(128, 10_240, 'MiB')
      .default(defaults.memoryMiB)
      .describe('Memory of the function; its share of processors grows with it.'),
    reservedConcurrency: wholeNumber(1, 10, 'runs')
      .optional()
      .describe(
        'Runs at the same time; leave it out in an account whose limit is low: reserving takes it from all others.',
      ),
  };
}

/** What every function with a database session has; unset timeouts are the function's own defaults. */
function sessionSettings(settings: Pick<typeof backupSettings, 'LOCK_TIMEOUT_MS' | 'STATEMENT_TIMEOUT_MS'>) {
  return {
    lockTimeoutMs: variable(settings.LOCK_TIMEOUT_MS).optional().describe(settings.LOCK_TIMEOUT_MS.summary),
    statementTimeoutMs: variable(settings.STATEMENT_TIMEOUT_MS)
      .optional()
      .describe(settings.STATEMENT_TIMEOUT_MS.summary),
  };
}

/** Majors of PostgreSQL whose programs a function finds in a layer; a test compares them with where it looks. */
export const clientMajors = [14, 15, 16, 17, 18] as const;

/** Where pg_dump comes from. Building needs the network, so neither way is the default. */
const postgresClient = z
  .strictObject(
    {
      majors: listOf(
        z.literal(clientMajors, `must be one of ${clientMajors.join(', ')}`),
        1,
        'must be a list of majors',
      )
        .refine((majors) => new Set(majors).size === majors.length, 'must name each major once')
        .optional()
        .describe(
          'Majors from 14 to 18 whose programs synth puts into a layer: that of the server, and before an upgrade the next one as well.',
        ),
      layerArn: matching(
        /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[A-Za-z0-9_-]+:\d+$/,
        'must be the ARN of a layer version',
      )
        .optional()
        .describe('A layer of your own instead, with the programs in bin/, <major>/bin/ or pg<major>/bin/.'),
    },
    'must be { majors }, { layerArn } or null',
  )
  .refine(
    ({ majors, layerArn }) => (majors === undefined) !== (layerArn === undefined),
    'must have either majors or layerArn',
  )
  .nullable();

/** One section for each job; only expire, which deletes backups, must be written. */
export const jobConfigShape = {
  backup: z
    .strictObject(
      {
        ...functionSettings({ timeoutSeconds: 900, memoryMiB: 2048 }),
        ...sessionSettings(backupSettings),
        maxConnections: variable(backupSettings.MAX_CONNECTIONS)
          .default(4)
          .describe(backupSettings.MAX_CONNECTIONS.summary),
        partsInFlight: variable(backupSettings.PARTS_IN_FLIGHT)
          .optional()
          .describe(backupSettings.PARTS_IN_FLIGHT.summary),
        postgresClient: postgresClient
          .optional()
          .describe(
            'The layer with pg_dump and pg_restore: either majors or layerArn. Left out or null: none, so backup and restore-drill fail in Lambda, which synth warns about.',
          ),
      },
      'must be the settings of backup',
    )
    .prefault({}),
  restoreDrill: z
    .strictObject(
      {
        ...functionSettings({ timeoutSeconds: 900, memoryMiB: 2048 }),
        ...sessionSettings(restoreDrillSettings),
        maxConnections: variable(restoreDrillSettings.MAX_CONNECTIONS)
          .default(4)
          .describe(restoreDrillSettings.MAX_CONNECTIONS.summary),
      },
      'must be the settings of restore-drill',
    )
    .prefault({}),
  purge: z
    .strictObject(
      {
        ...functionSettings({ timeoutSeconds: 900, memoryMiB: 512 }),
        ...sessionSettings(purgeSettings),
        batchRows: variable(purgeSettings.BATCH_ROWS).optional().describe(purgeSettings.BATCH_ROWS.summary),
      },
      'must be the settings of purge',
    )
    .prefault({}),
  health: z
    .strictObject(
      { ...functionSettings({ timeoutSeconds: 120, memoryMiB: 512 }), ...sessionSettings(healthSettings) },
      'must be the settings of health',
    )
    .prefault({}),
  migrate: z
    .strictObject(
      {
        ...functionSettings({ timeoutSeconds: 900, memoryMiB: 1024 }),
        ...sessionSettings(migrateSettings),
        maxConnections: variable(migrateSettings.MAX_CONNECTIONS)
          .default(4)
          .describe(migrateSettings.MAX_CONNECTIONS.summary),
      },
      'must be the settings of migrate',
    )
    .prefault({}),
  bootstrap: z
    .strictObject(functionSettings({ timeoutSeconds: 300, memoryMiB: 512 }), 'must be the settings of bootstrap')
    .prefault({}),
  expire: z.strictObject(
    {
      ...functionSettings({ timeoutSeconds: 900, memoryMiB: 512 }),
      keepLast: variable(expireSettings.KEEP_LAST).describe('How many of the newest backups are kept.'),
    },
    'must be { keepLast }: how many of the newest backups are kept',
  ),
  report: z
    .strictObject(functionSettings({ timeoutSeconds: 300, memoryMiB: 512 }), 'must be the settings of report')
    .prefault({}),
};
