// Lambda entry point of purge: nightly. Opens the database as nightshift_purge; deletes only what a policy names.
import { secretCredentials } from '../shared/credentials.ts';
import { createDatabase, limitsOf, tlsOf } from '../shared/database.ts';
import { jobHandler } from '../shared/job-handler.ts';
import { purgeEvent } from './contract.ts';
import { purgeSettings } from './environment.ts';
import { runPurge } from './run-purge.ts';

export const handler = jobHandler({
  job: 'purge',
  settings: purgeSettings,
  event: purgeEvent,
  run: async ({ event, settings, runId, clock, log, metrics, signal }) => {
    const database = createDatabase({
      job: 'purge',
      credentials: secretCredentials(settings.DATABASE_SECRET_ARN),
      tls: tlsOf(settings),
      limits: limitsOf(settings),
      maxConnections: 1,
      // A table whose rows row level security hides from purge must fail, or rows past retention would stay unseen.
      rowSecurity: 'off',
    });
    try {
      return await runPurge({ database, event, runId, clock, log, metrics, signal, batchRows: settings.BATCH_ROWS });
    } finally {
      await database.close();
    }
  },
});
