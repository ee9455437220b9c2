// The process that the benchmark measures: migrate up of a folder of files, as the function runs it. Argument: one JSON text.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runMigrate } from '../../functions/migrate/run-migrate.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createDatabase } from '../../functions/shared/database.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';

export interface MigrateProcessArguments {
  host: string;
  port: number;
  caFile: string;
  dbname: string;
  username: string;
  password: string;
  folder: string;
}

const { folder, password, caFile, ...place }: MigrateProcessArguments = JSON.parse(process.argv[2] ?? '');
const credentials = { ...place, password: new SecretText(password) };
const limits = { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 60_000 };
const silent = () => {};
const database = createDatabase({
  job: 'migrate',
  credentials: { read: async () => credentials, refresh: async () => credentials },
  tls: { mode: 'verify-full', caFile },
  limits,
  maxConnections: 4,
  rowSecurity: 'off',
});
const { signal } = new AbortController();
await runMigrate({
  runId: 'bench',
  log: { info: silent, warn: silent, error: silent },
  metrics: { put: silent, flush: silent },
  clock: systemClock,
  signal,
  pause: signal,
  event: { job: 'migrate', action: 'up', requestedBy: 'bench' },
  database,
  limits,
  folder: {
    name: 'migrations',
    list: () => readdirSync(folder).toSorted(),
    read: (name) => readFileSync(join(folder, name), 'utf8'),
  },
  store: undefined,
  databaseName: 'bench',
  clientDirectories: '',
  mayWatch: true,
  lockAttempts: 10,
});
await database.close();
