// Conformance: conditional writes and reads. The claims of Nightshift rest on them.
// oxlint-disable vitest/no-standalone-expect -- the checks run inside the tests of object-store-conformance.test.ts
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { type ConformanceCheck, exists, expectRefusal, put, read, statusOf, withBothClients } from './target.ts';

export const conditionChecks: readonly ConformanceCheck[] = [
  ...withBothClients(
    'If-None-Match * on a free key: the object is created, a second write is refused with 412',
    async (target, client) => {
      const place = { Bucket: target.bucket, Key: target.key('claim'), IfNoneMatch: '*' };

      await client.send(new PutObjectCommand({ ...place, Body: 'first' }));
      await expectRefusal(client.send(new PutObjectCommand({ ...place, Body: 'second' })), 'PreconditionFailed', 412);

      expect(await read(target, place.Key)).toBe('first');
    },
  ),
  {
    name: 'If-None-Match * with a body of 6 MiB on a taken key: refused with 412, the object stays',
    async run(target) {
      const Key = target.key('claim');
      await put(target, Key, 'first');

      const request = { Bucket: target.bucket, Key, IfNoneMatch: '*', Body: Buffer.alloc(6 * 1024 ** 2) };
      await expectRefusal(target.client.send(new PutObjectCommand(request)), 'PreconditionFailed', 412);

      expect(await read(target, Key)).toBe('first');
    },
  },
  {
    name: 'eight writers with If-None-Match * at once: exactly one wins and its body is read',
    async run(target) {
      const Key = target.key('race');
      const writers = Array.from({ length: 8 }, (_, index) => `writer ${index}`);

      const outcomes = await Promise.allSettled(
        writers.map((Body) =>
          target.client.send(new PutObjectCommand({ Bucket: target.bucket, Key, Body, IfNoneMatch: '*' })),
        ),
      );

      const won = writers.filter((_, index) => outcomes[index]?.status === 'fulfilled');
      expect(won).toHaveLength(1);
      expect(await read(target, Key)).toBe(won[0]);
      // S3 answers 409 to a loser that came while the winner was still being written.
      const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [statusOf(outcome.reason)] : []));
      expect(lost.every((status) => status === 412 || status === 409)).toBe(true);
    },
  },
  {
    name: 'If-None-Match * after the object was deleted: the object is created',
    async run(target) {
      const Key = target.key('again');
      await put(target, Key, 'first');
      await target.client.send(new DeleteObjectCommand({ Bucket: target.bucket, Key }));

      await target.client.send(new PutObjectCommand({ Bucket: target.bucket, Key, Body: 'second', IfNoneMatch: '*' }));

      expect(await read(target, Key)).toBe('second');
    },
  },
  {
    name: 'If-Match with the current ETag: the object is replaced; with an old one: refused with 412',
    async run(target) {
      const Key = target.key('state');
      const { ETag: first } = await put(target, Key, 'first');
      const write = (IfMatch: string | undefined, Body: string) =>
        target.client.send(new PutObjectCommand({ Bucket: target.bucket, Key, Body, IfMatch }));

      await write(first, 'second');
      await expectRefusal(write(first, 'third'), 'PreconditionFailed', 412);

      expect(await read(target, Key)).toBe('second');
    },
  },
  {
    name: 'eight writers with the same If-Match at once: exactly one wins',
    async run(target) {
      const Key = target.key('race');
      const { ETag } = await put(target, Key, 'before');

      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) =>
          target.client.send(
            new PutObjectCommand({ Bucket: target.bucket, Key, Body: `writer ${index}`, IfMatch: ETag }),
          ),
        ),
      );

      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    },
  },
  {
    name: 'If-Match on a key that does not exist: refused with 404 and nothing is created',
    async run(target) {
      const Key = target.key('absent');

      const request = { Bucket: target.bucket, Key, Body: 'x', IfMatch: '"d41d8cd98f00b204e9800998ecf8427e"' };
      await expectRefusal(target.client.send(new PutObjectCommand(request)), 'NoSuchKey', 404);

      expect(await exists(target, Key)).toBe(false);
    },
  },
  {
    name: 'a read with If-Match: the object for its ETag, 412 for another',
    async run(target) {
      const Key = target.key('read');
      const { ETag } = await put(target, Key, 'body');
      const get = (IfMatch: string | undefined) =>
        target.client.send(new GetObjectCommand({ Bucket: target.bucket, Key, IfMatch }));

      expect(await (await get(ETag)).Body?.transformToString()).toBe('body');
      await expectRefusal(get('"d41d8cd98f00b204e9800998ecf8427e"'), 'PreconditionFailed', 412);
    },
  },
  {
    name: 'a read with If-None-Match: 304 for its ETag, the object for another',
    async run(target) {
      const Key = target.key('read');
      const { ETag } = await put(target, Key, 'body');
      const get = (IfNoneMatch: string | undefined) =>
        target.client.send(new GetObjectCommand({ Bucket: target.bucket, Key, IfNoneMatch }));

      const status = await get(ETag).then(() => 200, statusOf);
      expect(status).toBe(304);
      expect(await (await get('"d41d8cd98f00b204e9800998ecf8427e"')).Body?.transformToString()).toBe('body');
    },
  },
];
