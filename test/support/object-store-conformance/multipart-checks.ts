// Conformance: multipart uploads that succeed, and what is listed of unfinished ones.
// oxlint-disable vitest/no-standalone-expect -- the checks run inside the tests of object-store-conformance.test.ts
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  ChecksumAlgorithm,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { fiveMiB, startUpload } from './multipart-steps.ts';
import { type ConformanceCheck, exists, expectRefusal, put, read, withBothClients } from './target.ts';

const md5 = (data: string | Buffer) => createHash('md5').update(data).digest();
const bigEndian = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);

export const multipartChecks: readonly ConformanceCheck[] = [
  ...withBothClients(
    'two parts are completed: the bytes are joined, the ETag is the MD5 of the MD5s',
    async (target, client) => {
      const upload = await startUpload(target, client, { ContentType: 'text/x-test', Metadata: { by: 'test' } });
      const parts = [await upload.part(1, fiveMiB), await upload.part(2, 'the tail')];
      expect(await exists(target, upload.key)).toBe(false);

      // Ceph leaves the quotes out of this one answer.
      const { ETag } = await upload.complete(parts);

      const expected = createHash('md5').update(md5(fiveMiB)).update(md5('the tail')).digest('hex');
      expect(ETag?.replaceAll('"', '')).toBe(`${expected}-2`);
      const found = await client.send(new GetObjectCommand({ Bucket: target.bucket, Key: upload.key }));
      expect(found).toMatchObject({ ETag: `"${expected}-2"`, ContentType: 'text/x-test', Metadata: { by: 'test' } });
      const bytes = Buffer.from((await found.Body?.transformToByteArray()) ?? []);
      expect(bytes.equals(Buffer.concat([fiveMiB, Buffer.from('the tail')]))).toBe(true);
    },
  ),
  ...withBothClients('a single small part is completed: it is the object', async (target, client) => {
    const upload = await startUpload(target, client);

    const { ETag } = await upload.complete([await upload.part(1, 'all of it')]);

    expect(await read(target, upload.key)).toBe('all of it');
    expect(ETag).toMatch(/-1"?$/);
  }),
  {
    name: 'parts arrive in another order: the object follows the part numbers',
    async run(target) {
      const upload = await startUpload(target, target.client);
      const last = await upload.part(2, 'tail');
      const first = await upload.part(1, fiveMiB);

      await upload.complete([first, last]);

      expect(await read(target, upload.key)).toBe(`${fiveMiB.toString()}tail`);
    },
  },
  {
    name: 'part numbers have gaps and no part carries a checksum: the upload completes',
    async run(target) {
      const upload = await startUpload(target, target.plainClient);
      const md5Of = (data: string | Buffer) => ({ ContentMD5: md5(data).toString('base64') });
      const parts = [
        await upload.part(3, fiveMiB, md5Of(fiveMiB)),
        await upload.part(700, fiveMiB, md5Of(fiveMiB)),
        await upload.part(10_000, 'tail', md5Of('tail')),
      ];

      await upload.complete(parts);

      const head = await target.client.send(new HeadObjectCommand({ Bucket: target.bucket, Key: upload.key }));
      expect(head.ContentLength).toBe(2 * fiveMiB.length + 4);
    },
  },
  {
    name: 'a part number is sent twice: the later body counts',
    async run(target) {
      const upload = await startUpload(target, target.client);
      await upload.part(1, 'old');
      const part = await upload.part(1, 'new');

      await upload.complete([part]);

      expect(await read(target, upload.key)).toBe('new');
    },
  },
  {
    name: 'only some of the uploaded parts are completed: the others are left out',
    async run(target) {
      const upload = await startUpload(target, target.plainClient);
      const first = await upload.part(1, fiveMiB);
      await upload.part(2, fiveMiB);
      const last = await upload.part(3, 'tail');

      await upload.complete([first, last]);

      const head = await target.client.send(new HeadObjectCommand({ Bucket: target.bucket, Key: upload.key }));
      expect(head.ContentLength).toBe(fiveMiB.length + 4);
    },
  },
  {
    name: 'an upload with SHA256 is completed: the object has the composite checksum of the parts',
    async run(target) {
      const algorithm = { ChecksumAlgorithm: ChecksumAlgorithm.SHA256 };
      const upload = await startUpload(target, target.client, algorithm);
      const parts = [await upload.part(1, fiveMiB, algorithm), await upload.part(2, 'tail', algorithm)];

      const { ChecksumSHA256 } = await upload.complete(parts);

      const sha = (data: string | Buffer) => createHash('sha256').update(data).digest();
      const composite = sha(Buffer.concat([sha(fiveMiB), sha('tail')])).toString('base64');
      expect(ChecksumSHA256).toBe(`${composite}-2`);
      const head = await target.client.send(
        new HeadObjectCommand({ Bucket: target.bucket, Key: upload.key, ChecksumMode: 'ENABLED' }),
      );
      expect(head.ChecksumSHA256).toBe(`${composite}-2`);
    },
  },
  {
    name: 'an upload with a CRC32 of the full object is completed: the object has the CRC32 of all its bytes',
    async run(target) {
      const upload = await startUpload(target, target.client, {
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'FULL_OBJECT',
      });
      const parts = [await upload.part(1, fiveMiB), await upload.part(2, 'tail')];
      const whole = bigEndian(crc32('tail', crc32(fiveMiB))).toString('base64');

      const done = await upload.complete(parts, { ChecksumCRC32: whole, ChecksumType: 'FULL_OBJECT' });

      expect([done.ChecksumCRC32, done.ChecksumType]).toEqual([whole, 'FULL_OBJECT']);
    },
  },
  {
    name: 'a completion with If-None-Match * finds the key free: the object is created',
    async run(target) {
      const upload = await startUpload(target, target.client);

      await upload.complete([await upload.part(1, 'mine')], { IfNoneMatch: '*' });

      expect(await read(target, upload.key)).toBe('mine');
    },
  },
  {
    name: 'a completion with If-None-Match * finds the key taken: refused with 412, the object stays',
    async run(target) {
      const upload = await startUpload(target, target.client);
      const part = await upload.part(1, 'mine');
      await put(target, upload.key, 'theirs');

      await expectRefusal(upload.complete([part], { IfNoneMatch: '*' }), 'PreconditionFailed', 412);

      expect(await read(target, upload.key)).toBe('theirs');
    },
  },
  {
    name: 'two completions of one key with If-None-Match * at once: exactly one wins',
    async run(target) {
      const Key = target.key('race');
      const uploads = [
        await startUpload(target, target.client, { Key }),
        await startUpload(target, target.client, { Key }),
      ];
      const parts = [await uploads[0]?.part(1, 'one'), await uploads[1]?.part(1, 'two')];

      const outcomes = await Promise.allSettled(
        uploads.map((upload, index) =>
          upload.complete(
            parts.slice(index, index + 1).filter((part) => part !== undefined),
            { IfNoneMatch: '*' },
          ),
        ),
      );

      const won = outcomes.map((outcome) => outcome.status === 'fulfilled');
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await read(target, Key)).toBe(won[0] === true ? 'one' : 'two');
    },
  },
  {
    name: 'parts are listed by pages of two: numbers, sizes and ETags of all',
    async run(target) {
      const upload = await startUpload(target, target.client);
      const sent = [await upload.part(5, 'five'), await upload.part(2, 'to'), await upload.part(9, 'nine nine')];

      const first = await target.client.send(new ListPartsCommand({ ...upload.place, MaxParts: 2 }));
      const second = await target.client.send(
        new ListPartsCommand({ ...upload.place, MaxParts: 2, PartNumberMarker: first.NextPartNumberMarker }),
      );

      expect([first.IsTruncated, second.IsTruncated]).toEqual([true, false]);
      const listed = [...(first.Parts ?? []), ...(second.Parts ?? [])];
      expect(listed.map((part) => [part.PartNumber, part.Size])).toEqual([
        [2, 2],
        [5, 4],
        [9, 9],
      ]);
      expect(listed.map((part) => part.ETag)).toEqual([sent[1]?.ETag, sent[0]?.ETag, sent[2]?.ETag]);
    },
  },
  {
    name: 'unfinished uploads are listed by prefix: until they are completed or aborted',
    async run(target) {
      const prefix = target.key('');
      const completed = await startUpload(target, target.client, { Key: `${prefix}b` });
      const aborted = await startUpload(target, target.client, { Key: `${prefix}a` });
      const other = await startUpload(target, target.client);
      const list = async () => {
        const found = await target.client.send(
          new ListMultipartUploadsCommand({ Bucket: target.bucket, Prefix: prefix }),
        );
        return (found.Uploads ?? []).map((upload) => upload.UploadId);
      };

      expect(await list()).toEqual([aborted.place.UploadId, completed.place.UploadId]);
      await completed.complete([await completed.part(1, 'x')]);
      expect(await list()).toEqual([aborted.place.UploadId]);
      await aborted.abort();
      expect(await list()).toEqual([]);
      await other.abort();
    },
  },
];
