// A file-backed S3 stand-in on loopback for runs without AWS and for tests: objects are plain files under
// `<directory>/<bucket>/<key>`, so an archive can be handed to pg_restore as it lies. The real SDK talks to it; anything
// it does not do is answered with NotImplemented. Never for a network: it accepts every signature.
import { mkdir, readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type Clock, systemClock } from '../functions/shared/clock.ts';
import { createFaults, type FaultHook } from './object-store/create-faults.ts';
import { type Bucket, type BucketSettings, openBucket, readSettings } from './object-store/open-bucket.ts';
import { type StoreState, serveRequest } from './object-store/serve-request.ts';
import type { ReplicationHook } from './object-store/store-operation.ts';
import { sideFolder, storePaths } from './object-store/store-paths.ts';

export interface ObjectStoreServer {
  /** `http://127.0.0.1:<port>`; path style is what the SDK uses for an address. */
  readonly endpoint: string;
  readonly port: number;
  /** Ends running requests and waits until nothing is written any more. */
  stop(): Promise<void>;
}

export interface ObjectStoreSettings {
  /** Holds the objects and the side folder; one server at a time. */
  readonly directory: string;
  /** Made when missing; buckets of earlier runs are served too. */
  readonly buckets: readonly BucketSettings[];
  /** Any free one by default. */
  readonly port?: number;
  readonly region?: string;
  readonly clock?: Pick<Clock, 'now'>;
  /** For tests; see create-faults.ts. */
  readonly fault?: FaultHook;
  /** For tests: the replication status of an object; without it no object has one, as in a bucket without a rule. */
  readonly replication?: ReplicationHook;
}

// Longer than the SDK keeps an idle connection, so that the server is never the one to close it under a request.
const keepAliveMs = 75_000;

/** Starts the server; throws when the port is taken or a bucket's settings are wrong. */
export async function startObjectStoreServer(settings: ObjectStoreSettings): Promise<ObjectStoreServer> {
  const { directory, clock = systemClock, region = 'us-east-1' } = settings;
  const buckets = new Map<string, Bucket>();
  const open = async (bucket: BucketSettings) => {
    const opened = await openBucket(directory, bucket, clock);
    buckets.set(bucket.name, opened);
    return opened;
  };
  await mkdir(join(directory, sideFolder), { recursive: true });
  for (const bucket of settings.buckets) await open(bucket);
  for (const name of await readdir(join(directory, sideFolder))) {
    const earlier = buckets.has(name) ? undefined : await readSettings(storePaths(directory, name));
    if (earlier !== undefined) await open(earlier);
  }

  const { replication } = settings;
  const faults = createFaults(settings.fault);
  const state: StoreState = { buckets, clock, region, faults, replication, openBucket: open };
  const running = new Set<Promise<void>>();
  const serve = (incoming: IncomingMessage, response: ServerResponse) => {
    const served = serveRequest(state, incoming, response).finally(() => running.delete(served));
    running.add(served);
  };
  // No limit on the time of a request: a backup worker may pause in the middle of a part.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: keepAliveMs }, serve);
  // Without this, Node asks for the body at once, and a refusal would cost the whole upload.
  server.on('checkContinue', serve);
  await new Promise<void>((listening, failed) => {
    server.once('error', failed).listen(settings.port ?? 0, '127.0.0.1', listening);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
      await Promise.all(running);
    },
  };
}
