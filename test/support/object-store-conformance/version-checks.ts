// Conformance: versions, delete markers, deletion by version and in batches. Expiry rests on them.
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ObjectIdentifier,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { type ConformanceCheck, type ConformanceTarget, exists, expectRefusal, put, read } from './target.ts';

async function remove(target: ConformanceTarget, Key: string, VersionId?: string) {
  return await target.client.send(new DeleteObjectCommand({ Bucket: target.bucket, Key, VersionId }));
}

async function removeMany(target: ConformanceTarget, Objects: ObjectIdentifier[], Quiet = false) {
  return await target.client.send(new DeleteObjectsCommand({ Bucket: target.bucket, Delete: { Objects, Quiet } }));
}

async function versionsOf(target: ConformanceTarget, Prefix: string) {
  return await target.client.send(new ListObjectVersionsCommand({ Bucket: target.bucket, Prefix }));
}

export const versionChecks: readonly ConformanceCheck[] = [
  {
    name: 'a key is put twice: both versions are readable by their ids',
    async run(target) {
      const Key = target.key('kept');
      const first = await put(target, Key, 'first');
      const second = await put(target, Key, 'second');

      expect(first.VersionId, 'the bucket of the conformance run must keep versions').toBeTypeOf('string');
      expect([await read(target, Key, first.VersionId), await read(target, Key, second.VersionId)]).toEqual([
        'first',
        'second',
      ]);
      const head = await target.client.send(
        new HeadObjectCommand({ Bucket: target.bucket, Key, VersionId: first.VersionId }),
      );
      expect([head.VersionId, head.ContentLength]).toEqual([first.VersionId, 5]);
    },
  },
  {
    name: 'an object is deleted: a marker hides it, the version stays readable',
    async run(target) {
      const Key = target.key('hidden');
      const { VersionId } = await put(target, Key, 'body');

      const removed = await remove(target, Key);

      expect([removed.DeleteMarker, typeof removed.VersionId]).toEqual([true, 'string']);
      expect(await exists(target, Key)).toBe(false);
      await expectRefusal(read(target, Key), 'NoSuchKey', 404);
      expect(await read(target, Key, VersionId)).toBe('body');
      const listed = await target.client.send(new ListObjectsV2Command({ Bucket: target.bucket, Prefix: Key }));
      expect(listed.KeyCount).toBe(0);
    },
  },
  {
    name: 'a delete marker is read by its id: refused with MethodNotAllowed 405',
    async run(target) {
      const Key = target.key('marker');
      await put(target, Key, 'body');
      const { VersionId } = await remove(target, Key);

      const request = new GetObjectCommand({ Bucket: target.bucket, Key, VersionId });
      await expectRefusal(target.client.send(request), 'MethodNotAllowed', 405);
    },
  },
  {
    name: 'a delete marker is deleted by its id: the object is back',
    async run(target) {
      const Key = target.key('back');
      await put(target, Key, 'body');
      const { VersionId } = await remove(target, Key);

      const removed = await remove(target, Key, VersionId);

      expect([removed.DeleteMarker, removed.VersionId]).toEqual([true, VersionId]);
      expect(await read(target, Key)).toBe('body');
    },
  },
  {
    name: 'the newest version is deleted by its id: it is gone for good and the one before is current',
    async run(target) {
      const Key = target.key('newest');
      await put(target, Key, 'first');
      const { VersionId } = await put(target, Key, 'second');

      await remove(target, Key, VersionId);

      expect(await read(target, Key)).toBe('first');
      await expectRefusal(read(target, Key, VersionId), 'NoSuchVersion', 404);
    },
  },
  {
    name: 'the last version is deleted by its id: nothing of the key is listed any more',
    async run(target) {
      const Key = target.key('last');
      const { VersionId } = await put(target, Key, 'body');

      await remove(target, Key, VersionId);

      const { Versions, DeleteMarkers } = await versionsOf(target, Key);
      expect([Versions ?? [], DeleteMarkers ?? []]).toEqual([[], []]);
    },
  },
  {
    name: 'a key that never was is deleted: a success',
    async run(target) {
      const { $metadata } = await remove(target, target.key('never'));

      expect($metadata.httpStatusCode).toBe(204);
    },
  },
  {
    name: 'versions are listed: newest first within a key, markers among them, the latest marked',
    async run(target) {
      const prefix = target.key('');
      const first = await put(target, `${prefix}a`, '1');
      const second = await put(target, `${prefix}a`, '22');
      const marker = await remove(target, `${prefix}a`);
      const other = await put(target, `${prefix}b`, '333');

      const { Versions = [], DeleteMarkers = [], IsTruncated } = await versionsOf(target, prefix);

      expect(Versions.map((found) => [found.VersionId, found.Size, found.IsLatest])).toEqual([
        [second.VersionId, 2, false],
        [first.VersionId, 1, false],
        [other.VersionId, 3, true],
      ]);
      expect(DeleteMarkers.map((found) => [found.VersionId, found.IsLatest])).toEqual([[marker.VersionId, true]]);
      expect(IsTruncated).toBe(false);
    },
  },
  {
    name: 'versions are listed by pages of two while each page is deleted: none is left over',
    async run(target) {
      const prefix = target.key('');
      for (const name of ['a', 'a', 'a', 'a', 'a', 'b', 'b']) await put(target, `${prefix}${name}`, name);
      await remove(target, `${prefix}b`);

      let deleted = 0;
      let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
      for (let more = true; more; ) {
        const page = await target.client.send(
          new ListObjectVersionsCommand({ Bucket: target.bucket, Prefix: prefix, MaxKeys: 2, ...marker }),
        );
        const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
        for (const { Key = '', VersionId } of found) await remove(target, Key, VersionId);
        deleted += found.length;
        marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
        more = page.IsTruncated === true;
      }

      expect(deleted).toBe(8);
      const { Versions, DeleteMarkers } = await versionsOf(target, prefix);
      expect([Versions ?? [], DeleteMarkers ?? []]).toEqual([[], []]);
    },
  },
  {
    name: 'versions are listed with a delimiter: folders are rolled up',
    async run(target) {
      const prefix = target.key('');
      for (const name of ['a', 'b/1', 'b/2', 'b/2']) await put(target, `${prefix}${name}`, 'x');

      const request = { Bucket: target.bucket, Prefix: prefix, Delimiter: '/' };
      const { Versions, CommonPrefixes } = await target.client.send(new ListObjectVersionsCommand(request));

      expect(Versions?.map((found) => found.Key)).toEqual([`${prefix}a`]);
      expect(CommonPrefixes?.map((found) => found.Prefix)).toEqual([`${prefix}b/`]);
    },
  },
  {
    name: 'several versions are deleted in one request: each is answered for and gone',
    async run(target) {
      const prefix = target.key('');
      const Objects: ObjectIdentifier[] = [];
      for (const name of ['a', 'b', 'c']) {
        const { VersionId } = await put(target, `${prefix}${name}`, name);
        Objects.push({ Key: `${prefix}${name}`, VersionId });
      }

      const { Deleted = [], Errors = [] } = await removeMany(target, Objects);

      expect(Errors).toEqual([]);
      expect(new Set(Deleted.map((one) => one.Key))).toEqual(new Set(Objects.map((one) => one.Key)));
      expect((await versionsOf(target, prefix)).Versions ?? []).toEqual([]);
    },
  },
  {
    name: 'several objects are deleted quietly: no answer for the good ones, markers are made',
    async run(target) {
      const prefix = target.key('');
      for (const name of ['a', 'b']) await put(target, `${prefix}${name}`, name);

      const { Deleted = [], Errors = [] } = await removeMany(
        target,
        [{ Key: `${prefix}a` }, { Key: `${prefix}b` }],
        true,
      );

      expect([Deleted, Errors]).toEqual([[], []]);
      expect([await exists(target, `${prefix}a`), await exists(target, `${prefix}b`)]).toEqual([false, false]);
    },
  },
  {
    name: 'keys with & < > quotes and line ends are deleted in one request: exactly they are gone',
    async run(target) {
      const prefix = target.key('');
      const names = ['a&amp;b', 'a&b', '<a>', `"a'`, 'a\r\nb', '&#39;'];
      for (const name of [...names, 'amp;', 'a']) await put(target, `${prefix}${name}`, name);

      await removeMany(
        target,
        names.map((name) => ({ Key: `${prefix}${name}` })),
      );

      const { Contents = [] } = await target.client.send(
        new ListObjectsV2Command({ Bucket: target.bucket, Prefix: prefix }),
      );
      expect(Contents.map((found) => found.Key)).toEqual([`${prefix}a`, `${prefix}amp;`]);
    },
  },
  {
    name: 'a batch deletion comes without Content-MD5 and checksum: refused, nothing is deleted',
    async run(target) {
      const Key = target.key('kept');
      await put(target, Key, 'body');
      const request = new DeleteObjectsCommand({ Bucket: target.bucket, Delete: { Objects: [{ Key }] } });
      // The SDK always sends a checksum here, so it is taken off before the request is signed.
      request.middlewareStack.add(
        (next) => async (args) => {
          const { headers } = args.request as { headers: Record<string, string> };
          for (const name of Object.keys(headers))
            if (/checksum|content-md5/i.test(name)) Reflect.deleteProperty(headers, name);
          return await next(args);
        },
        { step: 'build', priority: 'low', name: 'dropChecksum' },
      );

      await expectRefusal(target.client.send(request), 'InvalidRequest', 400);

      expect(await exists(target, Key)).toBe(true);
    },
  },
];
