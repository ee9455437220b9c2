// Conformance: what S3 refuses of a multipart upload.
// oxlint-disable vitest/no-standalone-expect -- the checks run inside the tests of object-store-conformance.test.ts
import { ChecksumAlgorithm, type CompletedPart, ListPartsCommand } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { fiveMiB, startUpload } from './multipart-steps.ts';
import { type ConformanceCheck, exists, expectRefusal, read, withBothClients } from './target.ts';

export const multipartRefusalChecks: readonly ConformanceCheck[] = [
  {
    name: 'part numbers have gaps and the parts carry a checksum: refused with 400 InvalidPartOrder',
    async run(target) {
      const upload = await startUpload(target, target.client, { ChecksumAlgorithm: 'CRC32' });
      const parts = [await upload.part(1, fiveMiB), await upload.part(3, 'tail')];

      await expectRefusal(upload.complete(parts), 'InvalidPartOrder', 400);

      expect(await exists(target, upload.key)).toBe(false);
    },
  },
  {
    name: 'part numbers begin at 2 and the parts carry a checksum: refused with 400 InvalidPartOrder',
    async run(target) {
      const upload = await startUpload(target, target.client, { ChecksumAlgorithm: 'CRC32' });

      await expectRefusal(upload.complete([await upload.part(2, 'tail')]), 'InvalidPartOrder', 400);
    },
  },
  ...withBothClients('parts are listed out of order: refused with InvalidPartOrder', async (target, client) => {
    const upload = await startUpload(target, client);
    const first = await upload.part(1, fiveMiB);
    const last = await upload.part(2, 'tail');

    await expectRefusal(upload.complete([last, first]), 'InvalidPartOrder', 400);
  }),
  ...withBothClients(
    'a part before the last has less than 5 MiB: refused with EntityTooSmall',
    async (target, client) => {
      const upload = await startUpload(target, client);
      const parts = [await upload.part(1, fiveMiB.subarray(1)), await upload.part(2, 'tail')];

      await expectRefusal(upload.complete(parts), 'EntityTooSmall', 400);

      expect(await exists(target, upload.key)).toBe(false);
    },
  ),
  {
    name: 'a listed part was never sent: refused with InvalidPart, then completed with the right list',
    async run(target) {
      const upload = await startUpload(target, target.client);
      const part = await upload.part(1, 'body');

      await expectRefusal(upload.complete([part, { ...part, PartNumber: 2 }]), 'InvalidPart', 400);
      await upload.complete([part]);

      expect(await read(target, upload.key)).toBe('body');
    },
  },
  {
    name: 'a listed part has the ETag of an earlier body: refused with InvalidPart',
    async run(target) {
      const upload = await startUpload(target, target.client);
      const old = await upload.part(1, 'old');
      await upload.part(1, 'new');

      await expectRefusal(upload.complete([old]), 'InvalidPart', 400);
    },
  },
  {
    name: 'an upload with SHA256 is completed without the checksums of its parts: refused with InvalidRequest',
    async run(target) {
      const algorithm = { ChecksumAlgorithm: ChecksumAlgorithm.SHA256 };
      const upload = await startUpload(target, target.client, algorithm);
      const { PartNumber, ETag }: CompletedPart = await upload.part(1, 'body', algorithm);

      await expectRefusal(upload.complete([{ PartNumber, ETag }]), 'InvalidRequest', 400);
    },
  },
  {
    name: 'a part carries another checksum than the upload was opened with: refused with InvalidRequest',
    async run(target) {
      const upload = await startUpload(target, target.client, { ChecksumAlgorithm: 'SHA256' });

      await expectRefusal(upload.part(1, 'body', { ChecksumAlgorithm: 'CRC32' }), 'InvalidRequest', 400);
    },
  },
  {
    name: 'the CRC32 of the full object is wrong at completion: refused, nothing is stored',
    async run(target) {
      const upload = await startUpload(target, target.client, {
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'FULL_OBJECT',
      });
      const part = await upload.part(1, 'body');

      const wrong = { ChecksumCRC32: 'AAAAAA==', ChecksumType: 'FULL_OBJECT' } as const;
      await expectRefusal(upload.complete([part], wrong), 'BadDigest', 400);

      expect(await exists(target, upload.key)).toBe(false);
    },
  },
  {
    name: 'the Content-MD5 of a part is wrong: refused with BadDigest, the part is not listed',
    async run(target) {
      const upload = await startUpload(target, target.plainClient);

      await expectRefusal(upload.part(1, 'body', { ContentMD5: 'XUFAKrxLKna5cZ2REBfFkg==' }), 'BadDigest', 400);

      const { Parts = [] } = await target.client.send(new ListPartsCommand(upload.place));
      expect(Parts).toEqual([]);
    },
  },
  {
    name: 'an upload is aborted: part, list and completion are refused with NoSuchUpload',
    async run(target) {
      const upload = await startUpload(target, target.client);
      const part = await upload.part(1, 'body');

      await upload.abort();

      await expectRefusal(upload.part(2, 'late'), 'NoSuchUpload', 404);
      await expectRefusal(target.client.send(new ListPartsCommand(upload.place)), 'NoSuchUpload', 404);
      await expectRefusal(upload.complete([part]), 'NoSuchUpload', 404);
      expect(await exists(target, upload.key)).toBe(false);
    },
  },
  {
    name: 'a part number is 0 or 10,001: refused with InvalidArgument',
    async run(target) {
      const upload = await startUpload(target, target.client);

      await expectRefusal(upload.part(0, 'body'), 'InvalidArgument', 400);
      await expectRefusal(upload.part(10_001, 'body'), 'InvalidArgument', 400);
    },
  },
  {
    name: 'an upload id belongs to another key: refused with NoSuchUpload',
    async run(target) {
      const upload = await startUpload(target, target.client);

      await expectRefusal(upload.part(1, 'body', { Key: target.key('other') }), 'NoSuchUpload', 404);
    },
  },
];
