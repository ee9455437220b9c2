// Conformance: ListObjectsV2.
import { ListObjectsV2Command, type ListObjectsV2CommandInput } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { type ConformanceCheck, type ConformanceTarget, put } from './target.ts';

/** Stores one-byte objects under a new prefix and returns a function that lists below it, names relative to the prefix. */
async function prepare(target: ConformanceTarget, names: readonly string[]) {
  const prefix = target.key('');
  for (const name of names) await put(target, `${prefix}${name}`, 'x');
  const relative = (key: string | undefined) => key?.slice(prefix.length) ?? '';
  const list = async (more: Partial<ListObjectsV2CommandInput> = {}, below = '') => {
    const page = await target.client.send(
      new ListObjectsV2Command({ Bucket: target.bucket, ...more, Prefix: `${prefix}${below}` }),
    );
    return {
      page,
      keys: (page.Contents ?? []).map((found) => relative(found.Key)),
      folders: (page.CommonPrefixes ?? []).map((found) => relative(found.Prefix)),
    };
  };
  return { prefix, list };
}

async function allPages(list: Awaited<ReturnType<typeof prepare>>['list'], more: Partial<ListObjectsV2CommandInput>) {
  const keys: string[] = [];
  const folders: string[] = [];
  const sizes: number[] = [];
  let ContinuationToken: string | undefined;
  do {
    const found = await list({ ...more, ContinuationToken });
    keys.push(...found.keys);
    folders.push(...found.folders);
    sizes.push(found.page.KeyCount ?? -1);
    ContinuationToken = found.page.NextContinuationToken;
    expect(found.page.IsTruncated).toBe(ContinuationToken !== undefined);
  } while (ContinuationToken !== undefined);
  return { keys, folders, sizes };
}

export const listingChecks: readonly ConformanceCheck[] = [
  {
    name: 'objects are listed: with size and ETag, in the order of their UTF-8 bytes',
    async run(target) {
      // In UTF-16 order the emoji would come before U+FF5E.
      const { list } = await prepare(target, ['😀', '～', 'b', 'a/c', 'B', 'a-', 'a']);

      const { keys, page } = await list();

      expect(keys).toEqual(['B', 'a', 'a-', 'a/c', 'b', '～', '😀']);
      expect(page.Contents?.[0]).toMatchObject({
        Size: 1,
        ETag: '"9dd4e461268c8034f5c8564e155c67a6"',
        StorageClass: 'STANDARD',
      });
      expect(page.Contents?.[0]?.LastModified?.getTime()).toBeGreaterThan(0);
    },
  },
  {
    name: 'a prefix is given: only keys that begin with it are listed',
    async run(target) {
      const { list } = await prepare(target, ['day/1', 'day/2', 'day-3', 'night/1']);

      expect((await list({}, 'day/')).keys).toEqual(['day/1', 'day/2']);
      expect((await list({}, 'da')).keys).toEqual(['day-3', 'day/1', 'day/2']);
    },
  },
  {
    name: 'nothing lies under a prefix: an empty page with KeyCount 0',
    async run(target) {
      const { list } = await prepare(target, []);

      const { keys, folders, page } = await list();

      expect([keys, folders, page.KeyCount, page.IsTruncated]).toEqual([[], [], 0, false]);
    },
  },
  {
    name: 'a delimiter is given: keys below it are rolled up into common prefixes',
    async run(target) {
      const { list } = await prepare(target, ['a', 'b/1', 'b/2', 'b/c/3', 'd/4', 'e']);

      const top = await list({ Delimiter: '/' });
      const below = await list({ Delimiter: '/' }, 'b/');

      expect([top.keys, top.folders, top.page.KeyCount]).toEqual([['a', 'e'], ['b/', 'd/'], 4]);
      expect([below.keys, below.folders]).toEqual([['b/1', 'b/2'], ['b/c/']]);
    },
  },
  {
    name: 'pages of two: together they hold every key once and in order',
    async run(target) {
      const names = ['a', 'b', 'c', 'd', 'e'];
      const { list } = await prepare(target, names);

      const { keys, sizes } = await allPages(list, { MaxKeys: 2 });

      expect(keys).toEqual(names);
      expect(sizes).toEqual([2, 2, 1]);
    },
  },
  {
    name: 'pages of one with a delimiter: no common prefix comes twice and no key is lost',
    async run(target) {
      const { list } = await prepare(target, ['a/1', 'a/2', 'a/3', 'b', 'c/1', 'c/2', 'd']);

      const { keys, folders } = await allPages(list, { MaxKeys: 1, Delimiter: '/' });

      expect([keys, folders]).toEqual([
        ['b', 'd'],
        ['a/', 'c/'],
      ]);
    },
  },
  {
    name: 'start-after is given: only keys behind it are listed, whether it exists or not',
    async run(target) {
      const { list, prefix } = await prepare(target, ['a', 'b', 'd']);

      expect((await list({ StartAfter: `${prefix}b` })).keys).toEqual(['d']);
      expect((await list({ StartAfter: `${prefix}aa` })).keys).toEqual(['b', 'd']);
    },
  },
  {
    name: 'encoding-type url: names come percent-encoded and decode to the keys',
    async run(target) {
      const names = ['a b', 'a&<b>', 'ä\n+'];
      const { list } = await prepare(target, names);

      const { page } = await list({ EncodingType: 'url' });

      const keys = (page.Contents ?? []).map((found) => decodeURIComponent((found.Key ?? '').replaceAll('+', '%20')));
      expect(keys.map((key) => key.split('/').at(-1))).toEqual(['a b', 'a&<b>', 'ä\n+']);
      expect(page.Contents?.[1]?.Key).toMatch(/a%26%3Cb%3E$/);
    },
  },
];
