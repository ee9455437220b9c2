import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import type { Fault, FaultRequest } from '../../local/object-store/create-faults.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { rounds } from '../support/test-size.ts';
import { leftInBucket, sessionsGone } from '../support/what-is-left.ts';

const GONE_WITHIN_MS = 2_000;
const ROWS = 501_000;

/** Every kind of request that a backup sends, in the order of a backup. */
const requests: Record<string, (request: FaultRequest) => boolean> = {
  'the claim': ({ operation, key }) => operation === 'PutObject' && key.includes('/claims/'),
  'the search for orphan uploads': ({ operation }) => operation === 'ListMultipartUploads',
  'toc.dat': ({ operation, key }) => operation === 'PutObject' && key.endsWith('/toc.dat'),
  'globals.sql': ({ operation, key }) => operation === 'PutObject' && key.endsWith('/globals.sql'),
  'the beginning of an upload': ({ operation }) => operation === 'CreateMultipartUpload',
  'a part': ({ operation }) => operation === 'UploadPart',
  'the put of a small table': ({ operation, key }) => operation === 'PutObject' && key.endsWith('.dat.gz'),
  'the completion of an upload': ({ operation }) => operation === 'CompleteMultipartUpload',
  'the listing of the archive': ({ operation }) => operation === 'ListObjectsV2',
  'the manifest': ({ operation, key }) => operation === 'PutObject' && key.endsWith('/manifest.json'),
};

const transient: Record<string, Fault> = {
  'is refused once with 503': { status: 503, code: 'SlowDown', times: 1 },
  'is done but its answer is lost': 'drop-answer',
  'meets a broken connection': 'drop',
  'meets a half-open connection': 'hang',
  'is slow': { delayMs: 300 },
};

/** All pairs, in an order in which any first few of them have different requests and different faults. */
const pairs = Object.keys(requests).flatMap((_, shift) =>
  Object.keys(transient).map((fault, index) => {
    const names = Object.keys(requests);
    return [names[(index * 2 + shift) % names.length] ?? '', fault] as const;
  }),
);

let aws: LocalAws;
let source: BackupSource;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws);
});

afterEach(() => aws.setFault(undefined));

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

/** A store that loses patience with a silent connection within a second, so that a test need not wait for minutes. */
const impatient = () => createObjectStore(BUCKET, { answerTimeoutMs: 1_000 });

describe('S3 has a hiccup', () => {
  test.each(pairs.slice(0, rounds * 3))('%s %s: the backup is whole', async (request, fault) => {
    let faults = 0;
    aws.setFault((seen) => {
      const isHit = requests[request]?.(seen) ?? false;
      const once = typeof transient[fault] === 'string';
      if (!isHit || (once && faults > 0)) return undefined;
      faults += 1;
      return transient[fault];
    });

    const result = await source.backUp({ store: impatient() });

    expect(faults).toBeGreaterThan(0);
    expect(result).toMatchObject({ alreadyMade: false, tables: 2, rows: ROWS });
    const { objects, uploads } = await leftInBucket();
    expect(objects).toContain(`shop/${result.backupId}/manifest.json`);
    expect(uploads).toEqual([]);
  });
});

describe('S3 refuses for good (an expired token)', () => {
  test.each(Object.keys(requests))(
    '%s: no manifest, no open upload once S3 is back, sessions gone',
    async (request) => {
      const before = (await leftInBucket()).objects.filter((key) => key.endsWith('/manifest.json'));
      aws.setFault((seen) => (requests[request]?.(seen) ? { status: 400, code: 'ExpiredToken' } : undefined));

      const failure = await source.backUp().then(
        (result) => new Error(`a false success: ${JSON.stringify(result)}`),
        (error: unknown) => error,
      );

      aws.setFault(undefined);
      expect(failure).toBeInstanceOf(JobFailure);
      expect(String(failure)).toMatch(/ExpiredToken/);
      expect(await sessionsGone(source.fresh, GONE_WITHIN_MS)).toBeLessThan(GONE_WITHIN_MS);
      const { objects, uploads } = await leftInBucket();
      expect(objects.filter((key) => key.endsWith('/manifest.json'))).toEqual(before);
      // The abort needs the search too; what it could not find, the sweep of the next backup does.
      if (request !== 'the search for orphan uploads') expect(uploads).toEqual([]);
      await source.backUp();
      expect((await leftInBucket()).uploads).toEqual([]);
    },
  );
});
