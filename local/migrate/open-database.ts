// The database that a command of migrate works on, with the limits of its sessions.
import { migrateSettings } from '../../functions/migrate/environment.ts';
import type { Clock } from '../../functions/shared/clock.ts';
import { readEnvironment } from '../../functions/shared/read-environment.ts';
import type { DatabaseConfig } from '../../infra/config.ts';
import { type OpenLogin, openLogin } from '../login/open-login.ts';
import type { Login } from '../login/parse-login.ts';
import type { MigrateArguments } from './parse-arguments.ts';

/** The one with the lock, the one that watches it, the one that records, and the one that tells how far it is. */
const SESSIONS = 4;

export interface OpenDatabase extends Omit<OpenLogin, 'config'> {
  lockAttempts: number;
}

type LockOptions = Pick<MigrateArguments, 'lockTimeoutMs' | 'lockAttempts'>;

/** Opens it and logs in once, so that what is wrong with the login is said first; close `database` in the end. */
export async function openDatabase(
  login: Login,
  options: LockOptions,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<OpenDatabase> {
  const { config, ...opened } = await openLogin(login, {
    job: 'migrate',
    role: 'migrate',
    maxConnections: SESSIONS,
    // How long a statement may take, the person at the terminal decides; a transaction that nobody goes on with ends.
    limitsOf: (configured) => ({
      statementTimeoutMs: 0,
      lockTimeoutMs: settingsOf(options, configured).LOCK_TIMEOUT_MS,
      idleInTransactionTimeoutMs: 60_000,
    }),
    clock,
    signal,
  });
  return { ...opened, lockAttempts: settingsOf(options, config).LOCK_ATTEMPTS };
}

/** What is said on the command line goes before the config, and that before the default of the function. */
function settingsOf({ lockTimeoutMs, lockAttempts }: LockOptions, config: Pick<DatabaseConfig, 'migrate'> | undefined) {
  const { LOCK_TIMEOUT_MS, LOCK_ATTEMPTS } = migrateSettings;
  return readEnvironment(
    'migrate',
    { LOCK_TIMEOUT_MS, LOCK_ATTEMPTS },
    {
      LOCK_TIMEOUT_MS: (lockTimeoutMs ?? config?.migrate.lockTimeoutMs)?.toString(),
      LOCK_ATTEMPTS: lockAttempts?.toString(),
    },
  );
}
