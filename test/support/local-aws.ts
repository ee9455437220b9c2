// S3 and Secrets Manager on loopback for one test file; the SDK is pointed at them by its own environment variables.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../functions/shared/clock.ts';
import type { FaultHook } from '../../local/object-store/create-faults.ts';
import type { ReplicationHook } from '../../local/object-store/store-operation.ts';
import { startObjectStoreServer } from '../../local/object-store-server.ts';
import { type SecretsServer, startSecretsServer } from '../../local/secrets-server.ts';

export const BUCKET = 'backups';

export interface LocalAws {
  readonly secrets: SecretsServer;
  /** Folder with the objects of BUCKET as plain files. */
  readonly bucketFolder: string;
  /** Sets or removes what S3 answers instead of working. */
  setFault(fault: FaultHook | undefined): void;
  /** Sets or removes what S3 says of the copying of its objects to another bucket. */
  setReplication(replication: ReplicationHook | undefined): void;
  stop(): Promise<void>;
}

/** Starts both and sets the AWS_ variables of this process. `clock` is that of S3; the default is the real one. */
export async function startLocalAws({ clock }: { clock?: Pick<Clock, 'now'> } = {}): Promise<LocalAws> {
  const directory = mkdtempSync(join(tmpdir(), 'nightshift-test-s3-'));
  let current: FaultHook | undefined;
  let replication: ReplicationHook | undefined;
  const objectStore = await startObjectStoreServer({
    directory,
    buckets: [{ name: BUCKET, versioned: true }],
    fault: (request) => current?.(request),
    ...(clock && { clock }),
    replication: (object) => replication?.(object),
  });
  const secrets = await startSecretsServer({ secrets: {} });
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_S3: objectStore.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
  });
  return {
    secrets,
    bucketFolder: join(directory, BUCKET),
    setFault: (fault) => {
      current = fault;
    },
    setReplication: (hook) => {
      replication = hook;
    },
    stop: async () => {
      await objectStore.stop();
      await secrets.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
