import { beforeEach, describe, expect, test } from 'vitest';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import type { FaultHook } from '../../local/object-store/create-faults.ts';
import { startOwnServer } from '../support/object-store-conformance/own-server.ts';

/** As the deployed bucket has it. */
const policy = {
  Version: '2012-10-17',
  Statement: ['*/manifest.json', '*/claims/*'].map((pattern) => ({
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:PutObject',
    Resource: `arn:aws:s3:::bucket/${pattern}`,
    Condition: { Null: { 's3:if-none-match': 'true' } },
  })),
};
const TYPE = 'application/gzip';

describe('replace', () => {
  let fault: FaultHook | undefined;
  beforeEach(async () => {
    fault = undefined;
    const { endpoint } = await startOwnServer({
      buckets: [{ name: 'bucket', versioned: true, policy }],
      fault: (request) => fault?.(request),
    });
    Object.assign(process.env, {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_S3: endpoint,
    });
  });

  test('the object is the one that was named: the new one is in its place', async () => {
    const store = createObjectStore('bucket');
    const orphan = await store.putNew('shop/purge-archive/a', 'left behind', TYPE);

    const replaced = await store.replace(orphan, Buffer.from('archived'), TYPE);

    expect(await store.getText('shop/purge-archive/a')).toBe('archived');
    expect(await store.head('shop/purge-archive/a')).toMatchObject(replaced);
    expect(replaced.bytes).toBe(8);
  });

  test('another one was put there meanwhile: it stays', async () => {
    const store = createObjectStore('bucket');
    const orphan = await store.putNew('shop/purge-archive/a', 'left behind', TYPE);
    await store.replace(orphan, Buffer.from('newer'), TYPE);

    const late = store.replace(orphan, Buffer.from('late'), TYPE);

    await expect(late).rejects.toMatchObject({ code: 'object_store.exists' });
    expect(await store.getText('shop/purge-archive/a')).toBe('newer');
  });

  test('the object is gone: nothing is made', async () => {
    const store = createObjectStore('bucket');

    const replacing = store.replace({ key: 'shop/purge-archive/a', etag: '"0"' }, Buffer.from('new'), TYPE);

    await expect(replacing).rejects.toMatchObject({ code: 'object_store.failed' });
    expect(await store.head('shop/purge-archive/a')).toBeUndefined();
  });

  test('the answer is lost: the second try meets the object of the first one, which is whole', async () => {
    const store = createObjectStore('bucket');
    const orphan = await store.putNew('shop/purge-archive/a', 'left behind', TYPE);
    let puts = 0;
    fault = ({ operation }) => {
      if (operation !== 'PutObject') return undefined;
      puts += 1;
      return puts === 1 ? 'drop-answer' : undefined;
    };

    const replacing = store.replace(orphan, Buffer.from('archived'), TYPE);

    await expect(replacing).rejects.toMatchObject({ code: 'object_store.exists' });
    expect([puts, await store.getText('shop/purge-archive/a')]).toEqual([2, 'archived']);
  });

  test.each(['shop/20261122T020000Z/manifest.json', 'shop/claims/20261122T020000Z-1.json'])(
    '%s, which the bucket protects: it is refused',
    async (key) => {
      const store = createObjectStore('bucket');
      const present = await store.putNew(key, '{}', TYPE);

      await expect(store.replace(present, Buffer.from('{"forged":1}'), TYPE)).rejects.toMatchObject({
        code: 'object_store.failed',
        problem: expect.stringContaining('AccessDenied'),
      });

      expect(await store.getText(key)).toBe('{}');
    },
  );
});
