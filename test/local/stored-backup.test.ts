// Which backups the bucket has, by one listing.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inParallel } from '../../functions/shared/in-parallel.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { listBackupIds, scheduledMs } from '../../functions/shared/stored-backup.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(async () => await aws.stop());

describe('listBackupIds', () => {
  test('ids beside other folders and other databases: only those of the database, newest first', async () => {
    const store = createObjectStore(BUCKET);
    const keys = [
      'orders/20261121T020000Z/archive/toc.dat',
      'orders/20261122T020000Z/manifest.json',
      'orders/20261122T020000Z/archive/1.dat.gz',
      'orders/20261122T020000Z-2/manifest.json',
      'orders/runs/backup/20261122T020000Z-x.json',
      'orders/claims/20261122T020000Z-1.json',
      'orders/2026/odd.json',
      'orders-2/20261123T020000Z/manifest.json',
    ];
    for (const key of keys) await store.putNew(key, 'x', 'text/plain');

    expect(await listBackupIds(store, 'orders')).toEqual([
      '20261122T020000Z-2',
      '20261122T020000Z',
      '20261121T020000Z',
    ]);
  });

  test('more ids than one page holds: all of them', async () => {
    const store = createObjectStore(BUCKET);
    const ids = Array.from(
      { length: 1_002 },
      (_, index) => `2026${String(1_000_000 + index).slice(1, 5)}T${String(index).padStart(6, '0')}Z`,
    );
    await inParallel(16, ids, async (id) => await store.putNew(`paged/${id}/plan.json`, 'x', 'text/plain'));

    expect(await listBackupIds(store, 'paged')).toEqual(ids.toSorted().toReversed());
  });
});

describe('scheduledMs', () => {
  test('an id, also of a later attempt: its instant', () => {
    expect(scheduledMs('20261122T020304Z')).toBe(Date.parse('2026-11-22T02:03:04Z'));
    expect(scheduledMs('20261122T020304Z-3')).toBe(Date.parse('2026-11-22T02:03:04Z'));
  });
});
