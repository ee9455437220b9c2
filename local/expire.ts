// `npm run expire -- --plan`: what the deployed expire job would do now. It never deletes. Exit codes: 0 ok, 1 refused, 2 bad input.
import { expireSettings } from '../functions/expire/environment.ts';
import { expirySettingsOf } from '../functions/expire/expiry-settings.ts';
import { runExpire } from '../functions/expire/run-expire.ts';
import { systemClock } from '../functions/shared/clock.ts';
import { createObjectStore } from '../functions/shared/object-store.ts';
import { readEnvironment } from '../functions/shared/read-environment.ts';
import { configuredEnvironment } from './expire/configured-environment.ts';
import { type ExpireOptions, HELP, parseExpireOptions } from './expire/parse-options.ts';
import { describePlan } from './expire/print-plan.ts';
import { runCommand } from './run-command.ts';

await runCommand(
  async () => {
    const options = parseExpireOptions(process.argv.slice(2), process.env);
    if (options === 'help') {
      console.log(HELP);
      return 0;
    }
    return await showPlan(options);
  },
  { stopped: 'nothing was changed', exitCodeOf: ({ code }) => (code === 'settings.wrong' ? 2 : 1) },
);

async function showPlan({ bucket, database, config, json, replaced }: ExpireOptions): Promise<number> {
  const now = systemClock.now();
  const { environment, region } = await configuredEnvironment(config, database, bucket, now);
  const settings = readEnvironment('expire', expireSettings, { ...environment, ...replaced });
  // The stack lies in the region of the config; a person's own default may be another one.
  process.env['AWS_REGION'] ??= region;
  const silent = () => {};
  const plan = await runExpire({
    store: createObjectStore(bucket),
    clock: systemClock,
    log: { info: silent, warn: silent, error: silent },
    metrics: { put: silent, flush: silent },
    signal: new AbortController().signal,
    database,
    settings: expirySettingsOf(settings),
    event: { job: 'expire', dryRun: true },
  });
  console.log(json ? JSON.stringify(plan, null, 2) : describePlan(plan, now, process.stdout.isTTY));
  return plan.refused === null ? 0 : 1;
}
