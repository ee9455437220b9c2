// Lambda entry point of health: every minute, every quarter of an hour and daily. Opens the database, never writes to it.
import { secretCredentials } from '../shared/credentials.ts';
import { createDatabase, limitsOf, tlsOf } from '../shared/database.ts';
import { jobHandler } from '../shared/job-handler.ts';
import { healthEvent } from './contract.ts';
import { healthSettings } from './environment.ts';
import { runHealth } from './run-health.ts';

export const handler = jobHandler({
  job: 'health',
  settings: healthSettings,
  event: healthEvent,
  // A record each minute would be half a million objects a year; the metrics of the minute tier say the same.
  recorded: ({ tier }) => tier !== 'minute',
  run: async ({ event, settings, log, metrics, clock, signal }) => {
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
      return await runHealth({ database, tier: event.tier, statementTimeoutMs, log, metrics, clock, signal });
    } finally {
      await database.close();
    }
  },
});
