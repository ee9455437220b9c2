// A process of its own that carries out one pass of purge, so that a test can kill it with -9 or stop it. Argument: one JSON text.
// Says "ready" when it is about to begin, and at its end in one line whether it was complete, or the code of the failure.
import { pressureLimits } from '../../functions/purge/pressure/pressure-limits.ts';
import { runPurge } from '../../functions/purge/run-purge.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createDatabase } from '../../functions/shared/database.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';

export interface PurgeChildRequest {
  login: { host: string; port: number; dbname: string; username: string; password: string };
  caFile: string;
  bucket: string;
  /** The name of the database in the bucket. */
  database: string;
  executionId: string;
  lockTimeoutMs: number;
  idleInTransactionTimeoutMs: number;
}

const request: PurgeChildRequest = JSON.parse(process.argv[2] ?? '{}');
const credentials = { ...request.login, password: new SecretText(request.login.password) };
const { lockTimeoutMs, idleInTransactionTimeoutMs } = request;
const connection = createDatabase({
  job: 'purge',
  credentials: { read: async () => credentials, refresh: async () => credentials },
  tls: { mode: 'verify-full', caFile: request.caFile },
  limits: { statementTimeoutMs: 60_000, lockTimeoutMs, idleInTransactionTimeoutMs },
  maxConnections: 2,
  rowSecurity: 'off',
});
const silent = () => {};
process.stdout.write('ready\n');
try {
  const { complete } = await runPurge({
    connection,
    database: request.database,
    store: createObjectStore(request.bucket),
    event: { job: 'purge', executionId: request.executionId },
    runId: `child-${process.pid}`,
    settings: {
      batchRows: 10,
      targetBatchMs: 100,
      statementTimeoutMs: 60_000,
      pressure: pressureLimits,
      kept: { backupsKeptDays: 30, pitrDays: 7, archiveKeptDays: 90 },
    },
    signingKey: undefined,
    timeLimitMs: undefined,
    clock: systemClock,
    log: { info: silent, warn: silent, error: silent },
    metrics: { put: silent, flush: silent },
    signal: new AbortController().signal,
  });
  process.stdout.write(complete ? 'complete\n' : 'interrupted\n');
} catch (error) {
  process.stdout.write(`${error instanceof JobFailure ? error.code : String(error)}\n`);
} finally {
  await connection.close();
}
