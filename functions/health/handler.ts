// Lambda entry point of health: every minute, every quarter of an hour and daily. Opens the database, never writes to it.
// The slower tiers first look at the ages of the backups, which needs no database.
import { secretCredentials } from '../shared/credentials.ts';
import { createDatabase, limitsOf, tlsOf } from '../shared/database.ts';
import { jobHandler } from '../shared/job-handler.ts';
import { runAges } from './ages/run-ages.ts';
import { checksOfTier } from './all-checks.ts';
import { healthEvent } from './contract.ts';
import { healthSettings } from './environment.ts';
import { runHealth } from './run-health.ts';

export const handler = jobHandler({
  job: 'health',
  settings: healthSettings,
  event: healthEvent,
  // A record each minute would be half a million objects a year; the metrics of the minute tier say the same.
  recorded: ({ tier }) => tier !== 'minute',
  run: async ({ event, settings, log, metrics, clock, store, signal }) => {
    const database = createDatabase({
      job: 'health',
      credentials: secretCredentials(settings.DATABASE_SECRET_ARN),
      tls: tlsOf(settings),
      limits: limitsOf(settings),
      maxConnections: 1,
      rowSecurity: 'off',
    });
    try {
      const statementTimeoutMs = settings.STATEMENT_TIMEOUT_MS;
      const limits = {
        backup: settings.BACKUP_MAX_AGE_HOURS,
        verified: settings.VERIFIED_MAX_AGE_HOURS,
        drill: settings.DRILL_MAX_AGE_HOURS,
        replica: settings.REPLICA_MAX_AGE_HOURS,
      };
      // Before the database is opened, so that one that cannot be reached does not silence them.
      const ages =
        event.tier === 'minute'
          ? []
          : await runAges({ store, database: settings.DATABASE_NAME, limits, clock, log, metrics });
      const { tier } = event;
      const checks = checksOfTier(tier, {
        halfDoneHours: settings.HALF_DONE_MAX_AGE_HOURS,
        purgeLagHours: settings.PURGE_MAX_LAG_HOURS,
        purgeBacklogRows: settings.PURGE_MAX_BACKLOG_ROWS,
      });
      return await runHealth({ database, tier, checks, ages, statementTimeoutMs, log, metrics, clock, signal });
    } finally {
      await database.close();
    }
  },
});
