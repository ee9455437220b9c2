// Runs verify of migration files in a process of its own, so that a test can kill that process within a statement.
// Argument: one JSON text, as for migrate-in-a-child.ts.
import { verifyMigrations } from '../../functions/migrate/verify/verify-migrations.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createDatabase } from '../../functions/shared/database.ts';
import { readMigrations } from '../../functions/shared/migration-files.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { filesOfTest } from './migration-files-of-test.ts';

interface ChildArguments {
  host: string;
  port: number;
  caFile: string;
  dbname: string;
  password: string;
  files: Record<string, string>;
}

const { host, port, caFile, dbname, password, files } = JSON.parse(process.argv[2] ?? '') as ChildArguments;
const credentials = { host, port, dbname, username: 'nightshift_migrate', password: new SecretText(password) };
const database = createDatabase({
  job: 'migrate',
  credentials: { read: async () => credentials, refresh: async () => credentials },
  tls: { mode: 'verify-full', caFile },
  limits: { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 60_000 },
  maxConnections: 4,
  rowSecurity: 'off',
});
await verifyMigrations(
  {
    runId: 'child',
    log: { info: () => {}, warn: () => {}, error: () => {} },
    clock: systemClock,
    signal: new AbortController().signal,
    database,
  },
  { migrations: await readMigrations(filesOfTest(files), true) },
);
await database.close();
