// What holds for our own object store only: plain files, restarts, buckets without versions, strictness.
import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { startObjectStoreServer } from '../../local/object-store-server.ts';
import {
  clientOf,
  filesBelow,
  sendRaw,
  startOwnServer,
  temporaryDirectory,
} from '../support/object-store-conformance/own-server.ts';
import { expectRefusal } from '../support/object-store-conformance/target.ts';

const Bucket = 'bucket';
const versioned = { buckets: [{ name: Bucket, versioned: true }] };

describe('files on disk', () => {
  test('objects are put: each lies as a plain file under its key with exactly its bytes', async () => {
    const { client, directory } = await startOwnServer();

    await client.send(new PutObjectCommand({ Bucket, Key: 'sample/archive/toc.dat', Body: 'PGDMP' }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'sample/manifest.json', Body: '{}' }));

    expect(await filesBelow(join(directory, Bucket))).toEqual(['sample/archive/toc.dat', 'sample/manifest.json']);
    expect(await readFile(join(directory, Bucket, 'sample/archive/toc.dat'), 'utf8')).toBe('PGDMP');
  });

  test('an object has older versions: only the newest lies under its key, a deleted one does not', async () => {
    const { client, directory } = await startOwnServer(versioned);
    const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'first' }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'second' }));
    expect(await readFile(join(directory, Bucket, 'a/b'), 'utf8')).toBe('second');

    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a/b' }));

    expect(await filesBelow(join(directory, Bucket))).toEqual([]);
    const old = await client.send(new GetObjectCommand({ Bucket, Key: 'a/b', VersionId }));
    expect(await old.Body?.transformToString()).toBe('first');
  });

  test('all versions are deleted: no file of the object is left', async () => {
    const { client, directory } = await startOwnServer(versioned);
    const versions = [];
    for (const Body of ['1', '2', '3'])
      versions.push(await client.send(new PutObjectCommand({ Bucket, Key: 'a/b/c', Body })));

    for (const { VersionId } of versions)
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'a/b/c', VersionId }));

    expect(await filesBelow(directory)).toEqual(['.meta/bucket/bucket.json']);
  });

  test('an object is cut short by hand: it is served as it lies, and the checksum of the SDK notices', async () => {
    const { client, directory } = await startOwnServer();
    await client.send(new PutObjectCommand({ Bucket, Key: 'dump', Body: 'all of the bytes' }));

    await truncate(join(directory, Bucket, 'dump'), 6);

    const found = await client.send(new GetObjectCommand({ Bucket, Key: 'dump' }));
    await expect(found.Body?.transformToString()).rejects.toThrow(/checksum/i);
  });
});

describe('restart', () => {
  test('the server is started again on its directory: objects, versions, markers, metadata and uploads are there', async () => {
    const first = await startOwnServer(versioned);
    const old = await first.client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'old' }));
    await first.client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'new', Metadata: { by: 'test' } }));
    await first.client.send(new PutObjectCommand({ Bucket, Key: 'gone', Body: 'x' }));
    await first.client.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
    const { UploadId } = await first.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'up' }));
    await first.client.send(new UploadPartCommand({ Bucket, Key: 'up', UploadId, PartNumber: 4, Body: 'part' }));

    const { client } = await first.restart();

    const found = await client.send(new GetObjectCommand({ Bucket, Key: 'a' }));
    expect([await found.Body?.transformToString(), found.Metadata]).toEqual(['new', { by: 'test' }]);
    const before = await client.send(new GetObjectCommand({ Bucket, Key: 'a', VersionId: old.VersionId }));
    expect(await before.Body?.transformToString()).toBe('old');
    const { Versions, DeleteMarkers } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect([Versions?.length, DeleteMarkers?.map((marker) => marker.Key)]).toEqual([3, ['gone']]);
    const { Parts } = await client.send(new ListPartsCommand({ Bucket, Key: 'up', UploadId }));
    expect(Parts?.map((part) => [part.PartNumber, part.Size])).toEqual([[4, 4]]);
  });

  test('the clock went back between two runs: the version written later is still the newest', async () => {
    const first = await startOwnServer({ ...versioned, clock: { now: () => new Date('2026-11-22T02:00:00Z') } });
    await first.client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'older' }));
    await first.stop();

    const clock = { now: () => new Date('2020-01-01T00:00:00Z') };
    const { client } = await startOwnServer({ ...versioned, directory: first.directory, clock });
    const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'newer' }));

    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1 }));
    expect(Versions.map((version) => version.VersionId)).toEqual([VersionId]);
  });

  test('a bucket was made by CreateBucket: it is served after a restart and cannot be made again', async () => {
    const first = await startOwnServer();
    await first.client.send(new CreateBucketCommand({ Bucket: 'another-bucket' }));
    await first.client.send(new PutObjectCommand({ Bucket: 'another-bucket', Key: 'a', Body: 'x' }));

    const { client } = await first.restart();

    const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
    expect(Buckets.map((bucket) => bucket.Name)).toEqual(['another-bucket', 'bucket']);
    expect((await client.send(new ListObjectsV2Command({ Bucket: 'another-bucket' }))).KeyCount).toBe(1);
    await expectRefusal(
      client.send(new CreateBucketCommand({ Bucket: 'another-bucket' })),
      'BucketAlreadyOwnedByYou',
      409,
    );
    await expectRefusal(client.send(new CreateBucketCommand({ Bucket: 'Not_A_Name' })), 'InvalidBucketName', 400);
  });

  test('the server is stopped: the port is free again and nothing is served', async () => {
    const directory = await temporaryDirectory();
    const first = await startObjectStoreServer({ directory, buckets: [] });
    await first.stop();

    const second = await startObjectStoreServer({ directory, buckets: [], port: first.port });

    expect(second.port).toBe(first.port);
    await expect(startObjectStoreServer({ directory, buckets: [], port: second.port })).rejects.toThrow(/EADDRINUSE/);
    await second.stop();
    await expect(sendRaw(second.endpoint, { method: 'GET', path: '/' })).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('a bucket without versions', () => {
  test('an object is replaced and deleted: no version and no marker is kept', async () => {
    const { client, directory } = await startOwnServer();

    const put = await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'first' }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'second' }));
    expect(put.VersionId).toBeUndefined();
    const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions?.map((version) => [version.VersionId, version.Size])).toEqual([['null', 6]]);
    const removed = await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));

    expect(removed.DeleteMarker).toBeUndefined();
    expect(await filesBelow(directory)).toEqual(['.meta/bucket/bucket.json']);
  });

  test('an object is deleted by the version id null: it is gone', async () => {
    const { client } = await startOwnServer();
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));

    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId: 'null' }));

    await expect(client.send(new GetObjectCommand({ Bucket, Key: 'a' }))).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
});

describe('encryption and lock', () => {
  test('an object is put with SSE-KMS: the headers come back with the answer and with the object', async () => {
    const { client } = await startOwnServer();
    const encryption = {
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'arn:aws:kms:eu-west-1:1:key/k',
      BucketKeyEnabled: true,
    } as const;

    const sent = await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', ...encryption }));

    expect(sent).toMatchObject(encryption);
    expect(await client.send(new HeadObjectCommand({ Bucket, Key: 'a' }))).toMatchObject(encryption);
  });

  test('a bucket has a default retention of 3 days: a version can be deleted after them, not before', async () => {
    let now = new Date('2026-11-22T02:00:00Z');
    const { client } = await startOwnServer({
      buckets: [{ name: Bucket, objectLock: { days: 3 } }],
      clock: { now: () => now },
    });
    const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));
    const { Retention } = await client.send(new GetObjectRetentionCommand({ Bucket, Key: 'a' }));
    expect(Retention).toEqual({ Mode: 'GOVERNANCE', RetainUntilDate: new Date('2026-11-25T02:00:00Z') });

    now = new Date('2026-11-25T01:59:59Z');
    await expectRefusal(client.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId })), 'AccessDenied', 403);
    now = new Date('2026-11-25T02:00:00Z');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId }));

    expect((await client.send(new ListObjectVersionsCommand({ Bucket }))).Versions ?? []).toEqual([]);
  });

  test('a version is retained under compliance: a bypass does not help', async () => {
    const { client } = await startOwnServer({ buckets: [{ name: Bucket, objectLock: { days: 0 } }] });
    const lock = { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date(Date.now() + 3_600_000) } as const;
    const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', ...lock }));

    const request = new DeleteObjectCommand({ Bucket, Key: 'a', VersionId, BypassGovernanceRetention: true });
    await expect(client.send(request)).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

describe('replication', () => {
  const status = async (client: S3Client, Key: string) =>
    (await client.send(new HeadObjectCommand({ Bucket, Key }))).ReplicationStatus;

  test('a test sets the status of an object: head and get say it, and those of others say none', async () => {
    const { client } = await startOwnServer({
      ...versioned,
      replication: ({ bucket, key }) => (bucket === Bucket && key === 'copied' ? 'COMPLETED' : undefined),
    });
    for (const Key of ['copied', 'other']) await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));

    expect(await status(client, 'copied')).toBe('COMPLETED');
    expect((await client.send(new GetObjectCommand({ Bucket, Key: 'copied' }))).ReplicationStatus).toBe('COMPLETED');
    expect(await status(client, 'other')).toBeUndefined();
  });

  test('nobody sets a status: no object has one, as without a rule', async () => {
    const { client } = await startOwnServer(versioned);
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));

    expect(await status(client, 'a')).toBeUndefined();
  });
});

describe('strictness', () => {
  test('an operation is not known here: 501 NotImplemented, and nothing is changed', async () => {
    const { client } = await startOwnServer();
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));

    await expectRefusal(
      client.send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: 'bucket/a' })),
      'NotImplemented',
      501,
    );
    const tagging = new PutObjectTaggingCommand({ Bucket, Key: 'a', Tagging: { TagSet: [{ Key: 'k', Value: 'v' }] } });
    await expectRefusal(client.send(tagging), 'NotImplemented', 501);
    await expectRefusal(client.send(new GetBucketAclCommand({ Bucket })), 'NotImplemented', 501);

    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map((found) => found.Key)).toEqual(['a']);
  });

  test('a known operation asks for more than it does here: 501 NotImplemented, and nothing is stored', async () => {
    const { client } = await startOwnServer();

    await expectRefusal(client.send(new PutObjectCommand({ Bucket, Key: 'a', ACL: 'private' })), 'NotImplemented', 501);
    await expectRefusal(client.send(new PutObjectCommand({ Bucket, Key: 'a', Tagging: 'k=v' })), 'NotImplemented', 501);
    await expectRefusal(
      client.send(new PutObjectCommand({ Bucket, Key: 'a', StorageClass: 'GLACIER' })),
      'InvalidStorageClass',
      400,
    );

    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  });

  test('a request is not signed: AccessDenied', async () => {
    const { endpoint } = await startOwnServer();

    const { status, text } = await sendRaw(endpoint, {
      method: 'GET',
      path: '/bucket?list-type=2',
      headers: { authorization: '' },
    });

    expect(status).toBe(403);
    expect(text).toContain('<Code>AccessDenied</Code>');
  });

  test('any credentials and region sign a request: it is accepted', async () => {
    const { endpoint } = await startOwnServer();
    const credentials = { accessKeyId: 'OTHER', secretAccessKey: 'other', sessionToken: 'token' };
    const client = clientOf(endpoint, { region: 'eu-central-1', credentials });

    const { KeyCount } = await client.send(new ListObjectsV2Command({ Bucket }));

    client.destroy();
    expect(KeyCount).toBe(0);
  });
});
