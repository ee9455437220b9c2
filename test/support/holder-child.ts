// A process of its own that starts the holder of a snapshot and then does nothing, or exits at once: for tests that kill it,
// freeze it or cut its connection. Says `held` and the snapshot as one line of JSON when the holder is at work.
import { holdSnapshot } from '../../functions/backup/snapshot/hold-snapshot.ts';
import { createDatabase } from '../../functions/shared/database.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { type HeldTable, openAndLock } from './open-and-lock.ts';

export interface HolderChildRequest {
  login: { host: string; port: number; dbname: string; username: string; password: string };
  caFile: string;
  backupId: string;
  tables: HeldTable[];
  lifeSeconds: number;
  outlivesClient: boolean;
  /** `exit`: process.exit() as soon as the holder is at work. */
  afterwards: 'stay' | 'exit';
}

const request: HolderChildRequest = JSON.parse(process.argv[2] ?? '{}');
const credentials = { ...request.login, password: new SecretText(request.login.password) };
const source = createDatabase({
  job: 'backup',
  credentials: { read: async () => credentials, refresh: async () => credentials },
  tls: { mode: 'verify-full', caFile: request.caFile },
  limits: { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 60_000 },
  maxConnections: 2,
  rowSecurity: 'off',
});

await source.withSession(async (session) => {
  const opened = await openAndLock(session, request.backupId, request.tables);
  const { ended } = await holdSnapshot(session, { ...request, ...opened, source });
  process.stdout.write(`${JSON.stringify({ held: opened })}\n`);
  if (request.afterwards === 'exit') process.exit(0);
  await ended;
});
