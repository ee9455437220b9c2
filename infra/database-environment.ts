// The variables that every job with a database connection gets, typed by functions/shared/environment.ts.
import type { HealthEnvironment } from '../functions/health/environment.ts';
import type { backupStoreSettings, databaseSettings } from '../functions/shared/environment.ts';
import type { DatabaseConfig } from './config.ts';
import type { SecretRole } from './secret-role.ts';
import type { StackParts } from './stack-parts.ts';

type DatabaseEnvironment = Pick<HealthEnvironment, keyof typeof databaseSettings | keyof typeof backupStoreSettings>;

/** The variables of a job that logs in as `role`. What is not configured stays unset: the function has the default. */
export function databaseEnvironment(
  parts: StackParts,
  role: SecretRole,
  settings: Pick<DatabaseConfig['health'], 'lockTimeoutMs' | 'statementTimeoutMs'> & { maxConnections: number },
): DatabaseEnvironment {
  return {
    DATABASE_NAME: parts.config.name,
    DATABASE_SECRET_ARN: parts.access.secretArn(role),
    BACKUP_BUCKET: parts.store.bucket.bucketName,
    UNSAFE_DATABASE_TLS: parts.config.unsafeDatabaseTls,
    MAX_CONNECTIONS: String(settings.maxConnections),
    LOCK_TIMEOUT_MS: settings.lockTimeoutMs?.toString(),
    STATEMENT_TIMEOUT_MS: settings.statementTimeoutMs?.toString(),
  };
}
