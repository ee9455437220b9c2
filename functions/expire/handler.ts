// Lambda entry point of expire: daily, after the backup. Needs only the bucket; never opens the database.
import { jobHandler } from '../shared/job-handler.ts';
import { expireEvent } from './contract.ts';
import { expireSettings } from './environment.ts';
import { expirySettingsOf } from './expiry-settings.ts';
import { runExpire } from './run-expire.ts';

export const handler = jobHandler({
  job: 'expire',
  settings: expireSettings,
  event: expireEvent,
  run: async ({ event, settings, store, clock, log, metrics, signal }) =>
    await runExpire({
      store,
      clock,
      log,
      metrics,
      signal,
      event,
      database: settings.DATABASE_NAME,
      settings: expirySettingsOf(settings),
    }),
});
