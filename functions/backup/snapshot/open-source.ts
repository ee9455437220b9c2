// The connection of a backup to the database that it reads.
import { secretCredentials } from '../../shared/credentials.ts';
import { createDatabase, type Database, limitsOf, tlsOf } from '../../shared/database.ts';
import type { BackupJob } from '../run-backup.ts';

/** Access as the backup role. Close it at the end of the step; it connects on first use. */
export function openSource({ settings }: BackupJob): Database {
  return createDatabase({
    job: 'backup',
    credentials: secretCredentials(settings.DATABASE_SECRET_ARN),
    tls: tlsOf(settings),
    limits: limitsOf(settings),
    maxConnections: settings.MAX_CONNECTIONS,
    rowSecurity: 'off',
  });
}

/** What sessions of a backup call themselves, so that its snapshot holder and its clean-up know them. */
export function applicationNameOf(backupId: string): string {
  return `nightshift/backup ${backupId}`;
}
