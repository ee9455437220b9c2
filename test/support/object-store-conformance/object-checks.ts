// Conformance: objects as they are stored, read and described.
// oxlint-disable vitest/no-standalone-expect -- the checks run inside the tests of object-store-conformance.test.ts
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { type ConformanceCheck, exists, expectRefusal, put, read, withBothClients } from './target.ts';

const strangeNames = [
  'a b',
  'a+b',
  'a%20b',
  'a&b',
  'a\'b"c',
  'a<b>c',
  'ä',
  'e\u0301',
  '日本',
  '😀',
  'a=b;c',
  'a?b#c',
  'a\\b',
  '~!*()',
];

export const objectChecks: readonly ConformanceCheck[] = [
  ...withBothClients('an object is put: the same bytes, type and metadata come back', async (target, client) => {
    const Key = target.key('object');
    const body = Buffer.from('a body\0with a zero byte');

    const Metadata = { 'backup-id': '20261122T020000Z' };
    await client.send(
      new PutObjectCommand({ Bucket: target.bucket, Key, Body: body, ContentType: 'text/x-test', Metadata }),
    );

    const found = await client.send(new GetObjectCommand({ Bucket: target.bucket, Key }));
    expect(Buffer.from((await found.Body?.transformToByteArray()) ?? [])).toEqual(body);
    expect(found).toMatchObject({ ContentType: 'text/x-test', Metadata, ContentLength: body.length });
  }),
  ...withBothClients('an object is put: its ETag is the MD5 of its bytes', async (target, client) => {
    const { ETag } = await client.send(
      new PutObjectCommand({ Bucket: target.bucket, Key: target.key('etag'), Body: 'abc' }),
    );

    expect(ETag).toBe(`"${createHash('md5').update('abc').digest('hex')}"`);
  }),
  ...withBothClients('a body is a stream: it arrives whole', async (target, client) => {
    const Key = target.key('streamed');
    const pieces = Array.from({ length: 50 }, (_, index) => Buffer.alloc(3000, index));
    const Body = Readable.from(pieces);

    await client.send(new PutObjectCommand({ Bucket: target.bucket, Key, Body, ContentLength: 150_000 }));

    const found = await client.send(new GetObjectCommand({ Bucket: target.bucket, Key }));
    expect(Buffer.from((await found.Body?.transformToByteArray()) ?? [])).toEqual(Buffer.concat(pieces));
  }),
  ...withBothClients('a body is empty: the object exists with 0 bytes', async (target, client) => {
    const Key = target.key('empty');

    await client.send(new PutObjectCommand({ Bucket: target.bucket, Key, Body: '' }));

    expect(await read(target, Key)).toBe('');
    expect((await client.send(new HeadObjectCommand({ Bucket: target.bucket, Key }))).ContentLength).toBe(0);
  }),
  {
    name: 'a body of 3 MiB is announced with Expect 100-continue: it arrives whole',
    async run(target) {
      const Key = target.key('large');
      const body = Buffer.alloc(3 * 1024 ** 2, 'x');

      await put(target, Key, body);

      expect((await read(target, Key)).length).toBe(body.length);
    },
  },
  {
    name: 'a key is put twice: the second body is read',
    async run(target) {
      const Key = target.key('twice');

      await put(target, Key, 'first');
      await put(target, Key, 'second');

      expect(await read(target, Key)).toBe('second');
    },
  },
  {
    name: 'a key is overwritten while it is read: each reader gets one body whole, with the ETag of that body',
    async run(target) {
      const Key = target.key('busy');
      const bodies = ['a', 'b', 'c', 'd', 'e'].map((letter) => Buffer.alloc(300_000, letter));
      await put(target, Key, bodies[0]);

      const readers = Array.from({ length: 30 }, async () => {
        const found = await target.client.send(new GetObjectCommand({ Bucket: target.bucket, Key }));
        const bytes = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
        return found.ETag === `"${createHash('md5').update(bytes).digest('hex')}"` && bytes.length === 300_000;
      });
      const written = Promise.all(bodies.map((body) => put(target, Key, body)));

      expect(await Promise.all(readers)).toEqual(readers.map(() => true));
      await written;
    },
  },
  {
    name: 'keys hold blanks, signs, quotes, accents and emoji: each is its own object and is listed under its name',
    async run(target) {
      const prefix = target.key('');
      for (const name of strangeNames) await put(target, `${prefix}${name}`, `body of ${name}`);

      for (const name of strangeNames) expect(await read(target, `${prefix}${name}`)).toBe(`body of ${name}`);
      const { Contents = [] } = await target.client.send(
        new ListObjectsV2Command({ Bucket: target.bucket, Prefix: prefix }),
      );
      expect(new Set(Contents.map((found) => found.Key))).toEqual(
        new Set(strangeNames.map((name) => `${prefix}${name}`)),
      );
    },
  },
  {
    name: 'one key is the folder of another: both exist and go independently',
    async run(target) {
      const folder = target.key('a');
      await put(target, folder, 'the folder');
      await put(target, `${folder}/b`, 'inside');
      await put(target, `${folder}/b/c`, 'deeper');

      expect([
        await read(target, folder),
        await read(target, `${folder}/b`),
        await read(target, `${folder}/b/c`),
      ]).toEqual(['the folder', 'inside', 'deeper']);
      await target.client.send(new DeleteObjectCommand({ Bucket: target.bucket, Key: `${folder}/b` }));
      expect(await exists(target, `${folder}/b`)).toBe(false);
      expect([await read(target, folder), await read(target, `${folder}/b/c`)]).toEqual(['the folder', 'deeper']);
    },
  },
  {
    name: 'a key does not exist: GetObject is refused with NoSuchKey, HeadObject with 404',
    async run(target) {
      const Key = target.key('absent');

      await expectRefusal(target.client.send(new GetObjectCommand({ Bucket: target.bucket, Key })), 'NoSuchKey', 404);
      await expectRefusal(target.client.send(new HeadObjectCommand({ Bucket: target.bucket, Key })), 'NotFound', 404);
    },
  },
  {
    name: 'a bucket does not exist: GetObject and PutObject are refused with NoSuchBucket, HeadBucket with 404',
    async run(target) {
      const place = { Bucket: 'nightshift-no-such-bucket-7731', Key: 'a' };

      await expectRefusal(target.client.send(new GetObjectCommand(place)), 'NoSuchBucket', 404);
      await expectRefusal(target.client.send(new PutObjectCommand({ ...place, Body: 'x' })), 'NoSuchBucket', 404);
      await expectRefusal(target.client.send(new HeadBucketCommand(place)), 'NotFound', 404);
      await target.client.send(new HeadBucketCommand({ Bucket: target.bucket }));
    },
  },
  {
    name: 'a range is asked for: first-last, open end and last bytes come with 206 and Content-Range',
    async run(target) {
      const Key = target.key('range');
      await put(target, Key, '0123456789');

      for (const [Range, text, where] of [
        ['bytes=2-4', '234', 'bytes 2-4/10'],
        ['bytes=7-', '789', 'bytes 7-9/10'],
        ['bytes=-3', '789', 'bytes 7-9/10'],
        ['bytes=8-99', '89', 'bytes 8-9/10'],
        ['bytes=-99', '0123456789', 'bytes 0-9/10'],
      ]) {
        const part = await target.client.send(new GetObjectCommand({ Bucket: target.bucket, Key, Range }));
        expect(part).toMatchObject({
          ContentRange: where,
          ContentLength: text?.length,
          $metadata: { httpStatusCode: 206 },
        });
        expect(await part.Body?.transformToString()).toBe(text);
      }
    },
  },
  {
    name: 'a range begins behind the end: refused with InvalidRange 416',
    async run(target) {
      const Key = target.key('short');
      await put(target, Key, '0123456789');

      const request = new GetObjectCommand({ Bucket: target.bucket, Key, Range: 'bytes=10-' });
      await expectRefusal(target.client.send(request), 'InvalidRange', 416);
    },
  },
  {
    name: 'an object is put with cache control, disposition and encoding: they come back',
    async run(target) {
      const Key = target.key('headers');
      const headers = {
        CacheControl: 'no-store',
        ContentDisposition: 'inline',
        ContentEncoding: 'gzip',
        ContentLanguage: 'en',
      };

      // A stream is sent in the aws-chunked encoding, which must not stay on the object.
      const body = { Body: Readable.from([Buffer.from('x')]), ContentLength: 1 };
      await target.client.send(new PutObjectCommand({ Bucket: target.bucket, Key, ...body, ...headers }));

      expect(await target.client.send(new HeadObjectCommand({ Bucket: target.bucket, Key }))).toMatchObject(headers);
    },
  },
];
