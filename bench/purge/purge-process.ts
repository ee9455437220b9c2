// The process that the benchmark measures: purge as its function runs it, again and again until its policy is complete.
// The message that starts it is PurgePlace, its answer Deletion. How purge is called stands here and nowhere else in the benchmark.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PolicyResult } from '../../functions/purge/contract.ts';
import { purgeSettings } from '../../functions/purge/environment.ts';
import { purgeSettingsOf } from '../../functions/purge/purge-settings.ts';
import { runPurge } from '../../functions/purge/run-purge.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createDatabase, limitsOf, tlsOf } from '../../functions/shared/database.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { readEnvironment } from '../../functions/shared/read-environment.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { startObjectStoreServer } from '../../local/object-store-server.ts';
import type { Deletion } from './run-record.ts';

export interface PurgePlace {
  /** Where the process may put files; taken away by whoever has made it. */
  folder: string;
  host: string;
  port: number;
  caFile: string;
  dbname: string;
  username: string;
  password: string;
}

process.once('message', (place: PurgePlace) => void answer(place));

/** A failure is thrown and ends the process with its stack; there is no answer then. */
async function answer(place: PurgePlace): Promise<void> {
  process.send?.(await purge(place));
  process.disconnect();
}

async function purge({ caFile, password, folder: parent, ...place }: PurgePlace): Promise<Deletion> {
  // Only what has no default.
  const settings = readEnvironment('purge', purgeSettings, {
    DATABASE_NAME: 'bench',
    DATABASE_SECRET_ARN: 'not read',
    DATABASE_CA_FILE: caFile,
    BACKUP_BUCKET: 'certificates',
  });
  const credentials = { ...place, password: new SecretText(password) };
  const silent = () => {};
  const folder = mkdtempSync(join(parent, 'certificates-'));
  const s3 = await startObjectStoreServer({
    directory: folder,
    buckets: [{ name: settings.BACKUP_BUCKET, versioned: true }],
  });
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_ENDPOINT_URL_S3: s3.endpoint,
  });
  const store = createObjectStore(settings.BACKUP_BUCKET);
  const policies: PolicyResult[] = [];
  let runs = 0;
  const fromMs = Date.now();
  for (let complete = false; !complete; runs += 1) {
    const connection = createDatabase({
      job: 'purge',
      credentials: { read: async () => credentials, refresh: async () => credentials },
      tls: tlsOf(settings),
      limits: limitsOf(settings),
      maxConnections: 1,
      rowSecurity: 'off',
    });
    const result = await runPurge({
      connection,
      database: settings.DATABASE_NAME,
      store,
      settings: purgeSettingsOf(settings),
      signingKey: undefined,
      timeLimitMs: undefined,
      event: { job: 'purge', requestedBy: 'bench' },
      runId: `bench-${runs + 1}`,
      clock: systemClock,
      log: { info: silent, warn: silent, error: silent },
      metrics: { put: silent, flush: silent },
      signal: new AbortController().signal,
    });
    await connection.close();
    policies.push(...result.policies);
    ({ complete } = result);
    if (!complete) await sleep(result.waitSeconds * 1_000);
  }
  const toMs = Date.now();
  await s3.stop();
  rmSync(folder, { recursive: true, force: true });
  const slowest = Math.max(...policies.map(({ slowestBatchMs }) => slowestBatchMs));
  return {
    fromMs,
    toMs,
    runs,
    batches: policies.reduce((sum, { batches }) => sum + batches, 0),
    slowestBatchMs: Number.isFinite(slowest) ? slowest : null,
  };
}
