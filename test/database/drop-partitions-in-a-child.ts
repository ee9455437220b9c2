// Runs dropPartitions in a process of its own, which kills itself with -9 before its n-th statement or while it runs: for tests.
// Arguments: one JSON text. Says how many statements there were when it comes to its end.
import { dropPartitions } from '../../functions/purge/partitions/drop-partitions.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createDatabase, type DatabaseSession } from '../../functions/shared/database.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { archiveForTest } from './partition-world.ts';

export interface ChildArguments {
  host: string;
  port: number;
  caFile: string;
  dbname: string;
  user: string;
  password: string;
  cutoff: string;
  killAt: number;
  /** `during`: the statement has been sent when the process dies. */
  when: 'before' | 'during';
}

const request = JSON.parse(process.argv[2] ?? '') as ChildArguments;
const { host, port, dbname, user, password, caFile } = request;
const credentials = { host, port, dbname, username: user, password: new SecretText(password) };
const database = createDatabase({
  job: 'purge',
  credentials: { read: async () => credentials, refresh: async () => credentials },
  tls: { mode: 'verify-full', caFile },
  limits: { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 60_000 },
  maxConnections: 4,
  rowSecurity: 'off',
});
let statements = 0;
const die = () => process.kill(process.pid, 'SIGKILL');

await database.withSession(async (real) => {
  const session: DatabaseSession = {
    ...real,
    query: async (sql, values, options) => {
      statements += 1;
      if (statements === request.killAt && request.when === 'before') die();
      const running = real.query<never>(sql, values, options);
      // Written to the socket by then.
      if (statements === request.killAt) setTimeout(die, 2);
      return await running;
    },
  };
  await dropPartitions({
    database,
    session,
    policy: {
      name: 'events',
      schema_name: 'app',
      table_name: 'event',
      timestamp_column: 'at',
      archive_before_delete: true,
      keep_partitions: 1,
    },
    cutoff: request.cutoff,
    seriesId: '1',
    dryRun: false,
    signal: new AbortController().signal,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    clock: systemClock,
    archive: archiveForTest,
  });
});
await database.close();
process.stdout.write(String(statements));
