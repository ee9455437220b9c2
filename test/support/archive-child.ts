// A process of its own that archives and removes the rows of app.event in batches until none is left, so that a test can kill it
// with -9. Argument: one JSON text.
import { emptyOrphans } from '../../functions/purge/archive/empty-orphans.ts';
import { writeArchiveManifest } from '../../functions/purge/archive/write-archive-manifest.ts';
import { createDatabase } from '../../functions/shared/database.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { archiveAll } from './archive-batch.ts';

export interface ArchiveChildRequest {
  login: { host: string; port: number; dbname: string; username: string; password: string };
  caFile: string;
  bucket: string;
  seriesId: string;
  batchRows: number;
}

const request: ArchiveChildRequest = JSON.parse(process.argv[2] ?? '{}');
const credentials = { ...request.login, password: new SecretText(request.login.password) };
const database = createDatabase({
  job: 'purge',
  credentials: { read: async () => credentials, refresh: async () => credentials },
  tls: { mode: 'verify-full', caFile: request.caFile },
  limits: { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 60_000 },
  maxConnections: 1,
  rowSecurity: 'off',
});
const store = createObjectStore(request.bucket);
const series = { database: 'shop', policy: 'events', seriesId: request.seriesId };
await database.withSession(async (session) => {
  await archiveAll(session, { series, store, batchRows: request.batchRows });
  await writeArchiveManifest(session, { series, store });
  await emptyOrphans(session, { series, store });
});
await database.close();
