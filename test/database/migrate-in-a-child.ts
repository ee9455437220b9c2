// Runs migrate up in a process of its own, so that a test can kill that process between or during statements.
// Arguments: one JSON text with host, port, caFile, dbname, password and files.
import { runMigrate } from '../../functions/migrate/run-migrate.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createDatabase } from '../../functions/shared/database.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { filesOfTest } from './migration-files-of-test.ts';

export interface ChildArguments {
  host: string;
  port: number;
  caFile: string;
  dbname: string;
  password: string;
  files: Record<string, string>;
}

const { host, port, caFile, dbname, password, files } = JSON.parse(process.argv[2] ?? '') as ChildArguments;
const credentials = { host, port, dbname, username: 'nightshift_migrate', password: new SecretText(password) };
const limits = { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 60_000 };
const database = createDatabase({
  job: 'migrate',
  credentials: { read: async () => credentials, refresh: async () => credentials },
  tls: { mode: 'verify-full', caFile },
  limits,
  maxConnections: 4,
  rowSecurity: 'off',
});
await runMigrate({
  runId: 'child',
  log: { info: () => {}, warn: () => {}, error: () => {} },
  metrics: { put: () => {}, flush: () => {} },
  clock: systemClock,
  signal: new AbortController().signal,
  event: { job: 'migrate', action: 'up', requestedBy: 'child' },
  database,
  folder: filesOfTest(files),
  limits,
  store: undefined,
  databaseName: 'shop',
  clientDirectories: '',
  mayWatch: true,
  lockAttempts: 3,
  pause: new AbortController().signal,
});
await database.close();
