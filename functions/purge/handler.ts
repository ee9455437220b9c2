// Lambda entry point of purge: one pass of its workflow. Opens the database as nightshift_purge; deletes only what a policy names.
import { secretCredentials } from '../shared/credentials.ts';
import { createDatabase, limitsOf, tlsOf } from '../shared/database.ts';
import { jobHandler, STOP_BEFORE_DEADLINE_MS } from '../shared/job-handler.ts';
import { openSigningKey } from '../shared/signing-key.ts';
import { purgeEvent } from './contract.ts';
import { PURGE_SESSIONS, purgeSettings } from './environment.ts';
import { requireVerifiedBackup } from './policy/require-verified-backup.ts';
import { purgeSettingsOf } from './purge-settings.ts';
import { runPurge } from './run-purge.ts';

/** Kept for closing the session and storing the run record. */
const KEEP_MS = 5_000;

export const handler = jobHandler({
  job: 'purge',
  settings: purgeSettings,
  event: purgeEvent,
  run: async ({ event, settings, runId, clock, log, metrics, signal, store, timeLimitMs }) => {
    const connection = createDatabase({
      job: 'purge',
      credentials: secretCredentials(settings.DATABASE_SECRET_ARN),
      tls: tlsOf(settings),
      limits: limitsOf(settings),
      maxConnections: PURGE_SESSIONS,
      // A table whose rows row level security hides from purge must fail, or rows past retention would stay unseen.
      rowSecurity: 'off',
    });
    const signingKey = settings.SIGNING_KEY_ARN === undefined ? undefined : openSigningKey(settings.SIGNING_KEY_ARN);
    try {
      if (event.dryRun !== true && settings.VERIFIED_WITHIN_HOURS !== undefined) {
        await requireVerifiedBackup(store, clock, settings.DATABASE_NAME, settings.VERIFIED_WITHIN_HOURS);
      }
      return await runPurge({
        connection,
        database: settings.DATABASE_NAME,
        store,
        settings: purgeSettingsOf(settings),
        signingKey,
        event,
        runId,
        clock,
        log,
        metrics,
        signal,
        // The last statement may outlive the signal, but not the function.
        timeLimitMs: Math.max(timeLimitMs - KEEP_MS, timeLimitMs - STOP_BEFORE_DEADLINE_MS),
      });
    } finally {
      signingKey?.close();
      await connection.close();
    }
  },
});
