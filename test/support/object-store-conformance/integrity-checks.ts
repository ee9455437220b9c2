// Conformance: Content-MD5 and the additional checksums, right and wrong.
// oxlint-disable vitest/no-standalone-expect -- the checks run inside the tests of object-store-conformance.test.ts
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ChecksumAlgorithm, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { type ConformanceCheck, exists, expectRefusal } from './target.ts';

const { CRC32, CRC32C, CRC64NVME, SHA1, SHA256 } = ChecksumAlgorithm;
// Of `123456789`, from the catalogue of CRC parameters and the SHA test vectors.
const checkValues = {
  [CRC32]: 'y/Q5Jg==',
  [CRC32C]: '4waSgw==',
  [CRC64NVME]: 'rosUhgp5mIg=',
  [SHA1]: '98O8HYCOBHMq32eZZczDTKeuNEE=',
  [SHA256]: 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=',
} as const;
const algorithms = [CRC32, CRC32C, CRC64NVME, SHA1, SHA256] as const;
const body = '123456789';
const md5 = createHash('md5').update(body).digest('base64');

const rightChecksums = algorithms.map((algorithm): ConformanceCheck => {
  const field = `Checksum${algorithm}` as const;
  return {
    name: `a ${algorithm} is right, in a header and in a trailer: the object is stored and gives it back`,
    async run(target) {
      const Key = target.key(algorithm);
      const place = { Bucket: target.bucket, Key, ChecksumAlgorithm: algorithm };

      const sent = await target.client.send(new PutObjectCommand({ ...place, Body: body }));
      const streamed = await target.client.send(
        new PutObjectCommand({ ...place, Body: Readable.from([Buffer.from(body)]), ContentLength: body.length }),
      );

      expect([sent[field], streamed[field]]).toEqual([checkValues[algorithm], checkValues[algorithm]]);
      const head = await target.client.send(
        new HeadObjectCommand({ Bucket: target.bucket, Key, ChecksumMode: 'ENABLED' }),
      );
      expect(head[field]).toBe(checkValues[algorithm]);
    },
  };
});

const wrongChecksums = algorithms.map((algorithm): ConformanceCheck => {
  const wrong = Buffer.from(checkValues[algorithm], 'base64').fill(7).toString('base64');
  return {
    name: `a ${algorithm} is wrong: the upload is refused and nothing is stored`,
    async run(target) {
      const Key = target.key(algorithm);
      const request = { Bucket: target.bucket, Key, Body: body, [`Checksum${algorithm}`]: wrong };

      const codes = ['BadDigest', 'XAmzContentChecksumMismatch'];
      await expectRefusal(target.client.send(new PutObjectCommand(request)), codes, 400);

      expect(await exists(target, Key)).toBe(false);
    },
  };
});

export const integrityChecks: readonly ConformanceCheck[] = [
  ...rightChecksums,
  ...wrongChecksums,
  {
    name: 'a checksum has the wrong length: the upload is refused with InvalidRequest',
    async run(target) {
      const Key = target.key('malformed');
      const request = { Bucket: target.bucket, Key, Body: body, ChecksumCRC32: 'AAAA' };

      await expectRefusal(target.client.send(new PutObjectCommand(request)), 'InvalidRequest', 400);

      expect(await exists(target, Key)).toBe(false);
    },
  },
  {
    name: 'a Content-MD5 is right: the object is stored',
    async run(target) {
      const Key = target.key('md5');

      await target.plainClient.send(new PutObjectCommand({ Bucket: target.bucket, Key, Body: body, ContentMD5: md5 }));

      expect(await exists(target, Key)).toBe(true);
    },
  },
  {
    name: 'a Content-MD5 is wrong: the upload is refused with BadDigest and the object before stays',
    async run(target) {
      const Key = target.key('md5');
      const { ETag } = await target.plainClient.send(new PutObjectCommand({ Bucket: target.bucket, Key, Body: body }));

      const request = { Bucket: target.bucket, Key, Body: 'other', ContentMD5: md5 };
      await expectRefusal(target.plainClient.send(new PutObjectCommand(request)), 'BadDigest', 400);

      const head = await target.client.send(new HeadObjectCommand({ Bucket: target.bucket, Key }));
      expect(head.ETag).toBe(ETag);
    },
  },
  {
    name: 'a Content-MD5 is malformed: the upload is refused with InvalidDigest',
    async run(target) {
      const request = { Bucket: target.bucket, Key: target.key('md5'), Body: body, ContentMD5: 'bm90IGFuIG1kNQ==' };

      await expectRefusal(target.plainClient.send(new PutObjectCommand(request)), 'InvalidDigest', 400);
    },
  },
];
