// The settings of health: the contract between infra and this function.
import { ageLimitSettings, backupStoreSettings, databaseSettings, LONGEST_AGE_HOURS } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, optional, withFallback } from '../shared/read-environment.ts';

/** A migration file may be half done for so many hours where the config says nothing else. */
export const HALF_DONE_HOURS = 6;

/** The purges may leave so many rows past retention where the config says nothing else: some batches that met locks. */
export const PURGE_BACKLOG_ROWS = 100_000;

export const healthSettings = {
  ...databaseSettings,
  ...backupStoreSettings,
  ...ageLimitSettings,
  BACKUP_MAX_AGE_HOURS: integer({
    summary: 'How old the snapshot of the newest backup that is not broken may be, in hours.',
    example: '28',
    min: 1,
    max: LONGEST_AGE_HOURS,
  }),
  REPLICA_MAX_AGE_HOURS: optional(
    integer({
      summary:
        'How old the snapshot of the newest backup that is copied to the replica may be, in hours. Left out: there is no replica.',
      example: '37',
      min: 1,
      max: LONGEST_AGE_HOURS,
    }),
  ),
  HALF_DONE_MAX_AGE_HOURS: withFallback(
    integer({
      summary: 'How long a migration file may be half done, in hours.',
      example: '6',
      min: 1,
      max: LONGEST_AGE_HOURS,
    }),
    HALF_DONE_HOURS,
  ),
  PURGE_MAX_LAG_HOURS: optional(
    integer({
      summary:
        'How long ago the last finished purge of any retention policy may have begun, in hours. Left out: it is not watched.',
      example: '72',
      min: 1,
      max: LONGEST_AGE_HOURS,
    }),
  ),
  PURGE_MAX_BACKLOG_ROWS: withFallback(
    integer({
      summary: 'How many rows past retention the last purges may have left, those under a legal hold not counted.',
      example: '100000',
      min: 1,
      max: 1_000_000_000_000,
    }),
    PURGE_BACKLOG_ROWS,
  ),
  // A check that waits is itself a burden on a server in trouble: it gives up and says "unknown".
  LOCK_TIMEOUT_MS: withFallback(
    integer({
      summary: 'How long a check waits for a lock before it is unknown.',
      example: '100',
      min: 10,
      max: 5_000,
    }),
    100,
  ),
  STATEMENT_TIMEOUT_MS: withFallback(
    integer({
      summary:
        'How long a check may run before it is unknown; the checks of the minute tier never more than 1 s, of the quarter-hour tier 5 s.',
      example: '30000',
      min: 100,
      max: 300_000,
    }),
    30_000,
  ),
} as const;

export type HealthEnvironment = EnvironmentVariables<typeof healthSettings>;
