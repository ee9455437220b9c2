// The sections `backup` and `verify` of nightshift.config.ts: how a backup is made, and how it is read back.
import { z } from 'zod';
import { backupSettings } from '../functions/backup/environment.ts';
import { verifySettings } from '../functions/verify/environment.ts';
import { listOf, matching, variable } from './config-fields.ts';
import { functionSettings, sessionSettings } from './function-config.ts';

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

/** Names or patterns as pg_dump takes them. */
function patterns(summary: string) {
  const allowed = 'must be a text that is not blank';
  return listOf(z.string(allowed).trim().min(1, allowed), 1, 'must be a list of names or patterns')
    .optional()
    .describe(summary);
}

const SNAPSHOT_HOLDERS = 'must be "server" or "relay"';

export const backupSection = z
  .strictObject(
    {
      ...functionSettings({ timeoutSeconds: 900, memoryMiB: 2048 }),
      ...sessionSettings(backupSettings),
      codec: z.enum(['gzip', 'zstd'], 'must be "gzip" or "zstd"').optional().describe(backupSettings.CODEC.summary),
      workers: variable(backupSettings.WORKERS)
        .default(backupSettings.WORKERS.fallback ?? 2)
        .describe(backupSettings.WORKERS.summary),
      partsInFlight: variable(backupSettings.PARTS_IN_FLIGHT)
        .optional()
        .describe(backupSettings.PARTS_IN_FLIGHT.summary),
      inlineLimitGiB: variable(backupSettings.INLINE_LIMIT_GIB)
        .optional()
        .describe(backupSettings.INLINE_LIMIT_GIB.summary),
      copySteps: variable(backupSettings.COPY_STEPS)
        .default(backupSettings.COPY_STEPS.fallback ?? 8)
        .describe(backupSettings.COPY_STEPS.summary),
      snapshotHolder: z
        .enum(['server', 'relay'], SNAPSHOT_HOLDERS)
        .default(backupSettings.SNAPSHOT_HOLDER.fallback ?? 'server')
        .describe(backupSettings.SNAPSHOT_HOLDER.summary),
      snapshotLifeSeconds: variable(backupSettings.SNAPSHOT_LIFE_SECONDS)
        .default(backupSettings.SNAPSHOT_LIFE_SECONDS.fallback ?? 21_600)
        .describe(backupSettings.SNAPSHOT_LIFE_SECONDS.summary),
      relayShiftSeconds: variable(backupSettings.RELAY_SHIFT_SECONDS)
        .default(backupSettings.RELAY_SHIFT_SECONDS.fallback ?? 600)
        .describe(backupSettings.RELAY_SHIFT_SECONDS.summary),
      includeSchemas: patterns(backupSettings.INCLUDE_SCHEMAS.summary),
      excludeSchemas: patterns(backupSettings.EXCLUDE_SCHEMAS.summary),
      includeTables: patterns(backupSettings.INCLUDE_TABLES.summary),
      excludeTables: patterns(backupSettings.EXCLUDE_TABLES.summary),
      excludeTableData: patterns(backupSettings.EXCLUDE_TABLE_DATA.summary),
      postgresClient: postgresClient
        .optional()
        .describe(
          'The layer with pg_dump and pg_restore: either majors or layerArn. Left out or null: none, so backup, verify and restore-drill fail in Lambda, and migrate cannot rehearse, which synth warns about.',
        ),
    },
    'must be the settings of backup',
  )
  .prefault({});

export const verifySection = z
  .strictObject(
    {
      ...functionSettings({ timeoutSeconds: 900, memoryMiB: 2048 }),
      readers: variable(verifySettings.VERIFY_READERS).optional().describe(verifySettings.VERIFY_READERS.summary),
      steps: variable(verifySettings.VERIFY_STEPS).optional().describe(verifySettings.VERIFY_STEPS.summary),
      inlineLimitGiB: variable(verifySettings.VERIFY_INLINE_LIMIT_GIB)
        .optional()
        .describe(verifySettings.VERIFY_INLINE_LIMIT_GIB.summary),
      samples: variable(verifySettings.VERIFY_SAMPLES).optional().describe(verifySettings.VERIFY_SAMPLES.summary),
    },
    'must be the settings of verify',
  )
  .prefault({});
