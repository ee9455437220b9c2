// The settings of a purge by hand: those of the deployed function where the database is named, its defaults for a URL.
import { carryOutSettings, purgeSettings } from '../../functions/purge/environment.ts';
import type { SettingValues } from '../../functions/shared/read-environment.ts';
import { readEnvironment } from '../../functions/shared/read-environment.ts';
import { type DatabaseConfig, isPaused } from '../../infra/config.ts';
import { purgeEnvironment } from '../../infra/purge-environment.ts';

const { LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS } = purgeSettings;
const RUN_SETTINGS = { LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS, ...carryOutSettings };

export type RunSettings = SettingValues<typeof RUN_SETTINGS>;

/** `config` is undefined for a URL. */
export function runSettings(config: DatabaseConfig | undefined, now: Date): RunSettings {
  if (config === undefined) return readEnvironment('purge', RUN_SETTINGS, {});
  return readEnvironment('purge', RUN_SETTINGS, {
    ...purgeEnvironment(config, isPaused(config, now)),
    LOCK_TIMEOUT_MS: config.purge.lockTimeoutMs?.toString(),
    STATEMENT_TIMEOUT_MS: config.purge.statementTimeoutMs?.toString(),
  });
}
