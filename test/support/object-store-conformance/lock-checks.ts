// Conformance: a bucket with object lock. It must keep versions; whether it has a default retention does not matter.
import { createHash } from 'node:crypto';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { startUpload } from './multipart-steps.ts';
import { type ConformanceCheck, type ConformanceTarget, expectRefusal } from './target.ts';

const inAnHour = () => new Date(Math.floor(Date.now() / 1000) * 1000 + 3_600_000);
const retained = () => ({ ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inAnHour() }) as const;

async function putLocked(target: ConformanceTarget, more: Partial<PutObjectCommandInput> = {}) {
  const place = { Bucket: target.lockedBucket, Key: target.key('locked') };
  const { VersionId } = await target.client.send(
    new PutObjectCommand({ ...place, Body: 'body', ...retained(), ...more }),
  );
  return { ...place, VersionId };
}

export const lockChecks: readonly ConformanceCheck[] = [
  {
    name: 'a retained object is put without Content-MD5 and checksum: refused with InvalidRequest',
    async run(target) {
      const request = { Bucket: target.lockedBucket, Key: target.key('locked'), Body: 'body', ...retained() };

      await expectRefusal(target.plainClient.send(new PutObjectCommand(request)), 'InvalidRequest', 400);
    },
  },
  {
    name: 'a retained object is put with Content-MD5 alone: stored',
    async run(target) {
      const place = { Bucket: target.lockedBucket, Key: target.key('locked') };
      const ContentMD5 = createHash('md5').update('body').digest('base64');

      await target.plainClient.send(new PutObjectCommand({ ...place, Body: 'body', ContentMD5, ...retained() }));

      const head = await target.client.send(new HeadObjectCommand(place));
      expect([head.ContentLength, head.ObjectLockMode]).toEqual([4, 'GOVERNANCE']);
    },
  },
  {
    name: 'a retained version is deleted by its id: refused with AccessDenied, also in a batch',
    async run(target) {
      const locked = await putLocked(target);

      await expectRefusal(target.client.send(new DeleteObjectCommand(locked)), 'AccessDenied', 403);
      const { Key, VersionId } = locked;
      const { Errors } = await target.client.send(
        new DeleteObjectsCommand({ Bucket: target.lockedBucket, Delete: { Objects: [{ Key, VersionId }] } }),
      );

      expect(Errors).toMatchObject([{ Key, VersionId, Code: 'AccessDenied' }]);
      expect((await target.client.send(new HeadObjectCommand(locked))).ContentLength).toBe(4);
    },
  },
  {
    name: 'a retained object is deleted without an id: a marker hides it, the version stays',
    async run(target) {
      const locked = await putLocked(target);

      const { DeleteMarker } = await target.client.send(
        new DeleteObjectCommand({ Bucket: locked.Bucket, Key: locked.Key }),
      );

      expect(DeleteMarker).toBe(true);
      expect((await target.client.send(new HeadObjectCommand(locked))).ContentLength).toBe(4);
    },
  },
  {
    name: 'a version under governance is deleted with a bypass: gone',
    async run(target) {
      const locked = await putLocked(target);

      await target.client.send(new DeleteObjectCommand({ ...locked, BypassGovernanceRetention: true }));

      await expectRefusal(target.client.send(new HeadObjectCommand(locked)), 'NotFound', 404);
    },
  },
  {
    name: 'a retention is prolonged: GetObjectRetention tells the new date',
    async run(target) {
      const locked = await putLocked(target);
      const later = new Date(inAnHour().getTime() + 3_600_000);

      const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: later } as const;
      await target.client.send(new PutObjectRetentionCommand({ ...locked, Retention }));

      const found = await target.client.send(new GetObjectRetentionCommand(locked));
      expect(found.Retention).toEqual({ Mode: 'GOVERNANCE', RetainUntilDate: later });
    },
  },
  {
    name: 'a retention under governance is shortened: refused with AccessDenied, allowed with a bypass',
    async run(target) {
      const locked = await putLocked(target);
      const RetainUntilDate = new Date(inAnHour().getTime() - 1_800_000);
      const shorten = (BypassGovernanceRetention?: boolean) =>
        target.client.send(
          new PutObjectRetentionCommand({
            ...locked,
            Retention: { Mode: 'GOVERNANCE', RetainUntilDate },
            BypassGovernanceRetention,
          }),
        );

      await expectRefusal(shorten(), 'AccessDenied', 403);
      await shorten(true);

      const { Retention } = await target.client.send(new GetObjectRetentionCommand(locked));
      expect(Retention?.RetainUntilDate).toEqual(RetainUntilDate);
    },
  },
  {
    name: 'a multipart upload is retained: its parts need Content-MD5 or a checksum, its object is locked',
    async run(target) {
      const where = { Bucket: target.lockedBucket, ...retained() };
      const upload = await startUpload(target, target.plainClient, where);

      await expectRefusal(upload.part(1, 'body'), 'InvalidRequest', 400);
      const part = await upload.part(1, 'body', { ContentMD5: createHash('md5').update('body').digest('base64') });
      const { VersionId } = await upload.complete([part]);

      const { Bucket, Key } = upload.place;
      await expectRefusal(target.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId })), 'AccessDenied', 403);
    },
  },
  {
    name: 'a retention is set on an object in a bucket without lock: refused with InvalidRequest',
    async run(target) {
      const place = { Bucket: target.bucket, Key: target.key('free') };
      await target.client.send(new PutObjectCommand({ ...place, Body: 'body' }));

      const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: inAnHour() } as const;
      const request = new PutObjectRetentionCommand({ ...place, Retention });
      await expectRefusal(target.client.send(request), 'InvalidRequest', 400);
    },
  },
];
