// Injected faults really fault, and the SDK of the product sees them as it would see those of S3.
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { FaultHook, FaultRequest } from '../../local/object-store/create-faults.ts';
import { startUpload } from '../support/object-store-conformance/multipart-steps.ts';
import { sendRaw, startOwnServer } from '../support/object-store-conformance/own-server.ts';
import { expectRefusal } from '../support/object-store-conformance/target.ts';

const Bucket = 'bucket';
const slowDown = { status: 503, code: 'SlowDown' };
const puts =
  (fault: ReturnType<FaultHook>): FaultHook =>
  (request) =>
    request.operation === 'PutObject' ? fault : undefined;

describe('fault injection', () => {
  test('SlowDown for every put: the SDK gives up with it and nothing is stored', async () => {
    const { client } = await startOwnServer({ fault: puts(slowDown) });

    await expectRefusal(client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' })), 'SlowDown', 503);

    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  });

  test('SlowDown twice for each key: the third attempt of the SDK is served, for every key anew', async () => {
    const { client } = await startOwnServer({ fault: puts({ ...slowDown, times: 2 }) }, { maxAttempts: 3 });

    for (const Key of ['a', 'b']) {
      const { $metadata } = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
      expect($metadata.attempts).toBe(3);
    }
  });

  test('hang: no answer ever comes, and a client with patience of its own tries again', async () => {
    let hung = 0;
    const { client } = await startOwnServer(
      {
        fault: (request) => (request.operation === 'PutObject' && hung++ === 0 ? 'hang' : undefined),
      },
      { maxAttempts: 2, requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true } },
    );

    const { $metadata } = await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));

    expect($metadata.attempts).toBe(2);
  });

  test('delayMs: the answer comes, but not before', async () => {
    const { client } = await startOwnServer({ fault: puts({ delayMs: 200 }) });
    const from = performance.now();

    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));

    expect(performance.now() - from).toBeGreaterThanOrEqual(195);
  });

  test('SlowDown for one part of an upload: the hook is given its number, the other parts are served', async () => {
    const seen: FaultRequest[] = [];
    const { client } = await startOwnServer({
      fault: (request) => {
        seen.push(request);
        return request.partNumber === 2 ? slowDown : undefined;
      },
    });
    const target = { client, plainClient: client, bucket: Bucket, lockedBucket: '', key: (name: string) => name };
    const upload = await startUpload(target, client);

    await upload.part(1, 'x');
    await expectRefusal(upload.part(2, Buffer.alloc(3 * 1024 ** 2)), 'SlowDown', 503);
    await upload.part(3, 'x');

    expect(seen.at(1)).toEqual({
      method: 'PUT',
      operation: 'UploadPart',
      bucket: Bucket,
      key: upload.key,
      partNumber: 1,
    });
  });

  test('the connection is dropped before a put: the SDK sees a broken connection and nothing is stored', async () => {
    const { client } = await startOwnServer({ fault: puts('drop') });

    await expect(client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }))).rejects.toThrow(
      /ECONNRESET|socket hang up/,
    );

    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  });

  test('the answer to a put is dropped: the SDK sees a broken connection, the object is stored all the same', async () => {
    const { client } = await startOwnServer({ fault: puts('drop-answer') });

    await expect(client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }))).rejects.toThrow(
      /ECONNRESET|socket hang up/,
    );

    expect((await client.send(new GetObjectCommand({ Bucket, Key: 'a' }))).ContentLength).toBe(1);
  });

  test('the answer to a conditional put is dropped once: the retry of the SDK meets its own object, 412', async () => {
    let dropped = false;
    const fault: FaultHook = () => {
      if (dropped) return undefined;
      dropped = true;
      return 'drop-answer';
    };
    const { client } = await startOwnServer({ fault }, { maxAttempts: 3 });

    const request = new PutObjectCommand({ Bucket, Key: 'claim', Body: 'mine', IfNoneMatch: '*' });
    await expect(client.send(request)).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { attempts: 2 },
    });
  });

  test('a request is of no known operation: the hook sees it as Unknown', async () => {
    const seen: string[] = [];
    const { endpoint } = await startOwnServer({
      fault: ({ operation }) => {
        seen.push(operation);
        return undefined;
      },
    });

    expect(await sendRaw(endpoint, { method: 'GET', path: '/bucket?acl' })).toMatchObject({ status: 501 });
    expect(seen).toEqual(['Unknown']);
  });
});
