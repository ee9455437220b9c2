// A purge in a process of its own, for tests that kill it. Argument: one JSON text. S3 is what the AWS_ variables say.
import { pressureLimits } from '../../functions/purge/pressure/pressure-limits.ts';
import { runPurge } from '../../functions/purge/run-purge.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createDatabase } from '../../functions/shared/database.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';

export interface PurgeChildRequest {
  login: { host: string; port: number; dbname: string; username: string; password: string };
  caFile: string;
  bucket: string;
  batchRows: number;
}

const request: PurgeChildRequest = JSON.parse(process.argv[2] ?? '{}');
const credentials = { ...request.login, password: new SecretText(request.login.password) };

await runPurge({
  connection: createDatabase({
    job: 'purge',
    credentials: { read: async () => credentials, refresh: async () => credentials },
    tls: { mode: 'verify-full', caFile: request.caFile },
    limits: { statementTimeoutMs: 60_000, lockTimeoutMs: 60_000, idleInTransactionTimeoutMs: 60_000 },
    maxConnections: 2,
    rowSecurity: 'off',
  }),
  database: 'shop',
  store: createObjectStore(request.bucket),
  event: { job: 'purge' },
  runId: 'killed',
  settings: {
    batchRows: request.batchRows,
    targetBatchMs: 100,
    statementTimeoutMs: 60_000,
    pressure: pressureLimits,
    kept: { backupsKeptDays: 30, pitrDays: 7, archiveKeptDays: 90 },
  },
  signingKey: undefined,
  timeLimitMs: undefined,
  clock: systemClock,
  log: { info: () => {}, warn: () => {}, error: () => {} },
  metrics: { put: () => {}, flush: () => {} },
  signal: new AbortController().signal,
});
