// Runs the conformance list against our own object store, or against the endpoint named in S3_ENDPOINT with the bucket
// S3_BUCKET (it must keep versions) and, if given, S3_LOCKED_BUCKET (with object lock). Region and credentials come from
// the usual AWS variables. Everything is stored under a prefix of its own and removed afterwards.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startObjectStoreServer } from '../../local/object-store-server.ts';
import { conformanceChecks, connectTarget } from '../support/object-store-conformance.ts';

const endpoint = process.env['S3_ENDPOINT'] || undefined;
const lockedBucket = endpoint === undefined ? 'locked-bucket' : process.env['S3_LOCKED_BUCKET'] || undefined;
const checks = conformanceChecks(lockedBucket !== undefined);

describe(`S3 conformance of ${endpoint ?? 'the local object store'}`, () => {
  let target: ReturnType<typeof connectTarget>;
  let stop = async () => {};

  beforeAll(async () => {
    const bucket = endpoint === undefined ? 'versioned-bucket' : (process.env['S3_BUCKET'] ?? '');
    if (bucket === '')
      throw new Error('S3_ENDPOINT is set, so S3_BUCKET must name a bucket with versions that may be written to');
    const config = endpoint === undefined ? await startOwn(bucket) : { endpoint };
    target = connectTarget(config, bucket, lockedBucket);
  });

  afterAll(async () => {
    await target.close();
    await stop();
  });

  async function startOwn(bucket: string): Promise<S3ClientConfig> {
    const directory = await mkdtemp(join(tmpdir(), 'nightshift-object-store-'));
    const buckets = [
      { name: bucket, versioned: true },
      { name: 'locked-bucket', objectLock: true },
    ];
    const server = await startObjectStoreServer({ directory, buckets });
    stop = async () => {
      await server.stop();
      await rm(directory, { recursive: true });
    };
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    return { endpoint: server.endpoint, region: 'us-east-1', credentials };
  }

  test('the list is whole: at least 40 checks, each with a name of its own', () => {
    expect(new Set(checks.map((check) => check.name)).size).toBe(checks.length);
    expect(checks.length).toBeGreaterThanOrEqual(40);
  });

  test.each(checks.map((check) => [check.name, check] as const))('%s', async (_, check) => {
    expect.hasAssertions();
    await check.run(target);
  });
});
