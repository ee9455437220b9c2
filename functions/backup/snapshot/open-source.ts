// The connection of a backup to the database that it reads.
import { secretCredentials } from '../../shared/credentials.ts';
import { createDatabase, type Database, limitsOf, tlsOf } from '../../shared/database.ts';
import type { BackupJob } from '../run-backup.ts';

/** More than the pool keeps an idle session. Nobody may take that of a vanished process for a worker, or count its slot. */
const IDLE_SESSION_TIMEOUT_MS = 15_000;

/** Access as the backup role. Close it at the end of the step; it connects on first use. */
export function openSource({ settings, signal }: BackupJob): Database {
  return createDatabase({
    job: 'backup',
    credentials: secretCredentials(settings.DATABASE_SECRET_ARN),
    tls: tlsOf(settings),
    limits: { ...limitsOf(settings), idleSessionTimeoutMs: IDLE_SESSION_TIMEOUT_MS },
    signal,
    maxConnections: settings.MAX_CONNECTIONS,
    rowSecurity: 'off',
  });
}

/** What sessions of a backup call themselves, so that its snapshot holder and its clean-up know them. */
export function applicationNameOf(backupId: string): string {
  return `nightshift/backup ${backupId}`;
}
