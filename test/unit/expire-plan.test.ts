import { assert, integer, property, uniqueArray } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseLeftovers } from '../../functions/expire/choose-leftovers.ts';
import { planExpiry } from '../../functions/expire/plan-expiry.ts';

const NOW = new Date('2026-11-22T06:00:00Z');

describe('planExpiry', () => {
  const backup = integer({ min: 1, max: 100_000 })
    .map((minutes) => new Date(NOW.getTime() - minutes * 60_000).toISOString())
    .map((takenAt) => ({ takenAt, backupId: takenAt.replaceAll(/[-:]|\.\d+/g, '') }));
  const backups = uniqueArray(backup, { selector: ({ backupId }) => backupId, maxLength: 40 });

  test('any backups and any KEEP_LAST: the newest KEEP_LAST are kept, nothing newer than a kept one goes, never all', () => {
    assert(
      property(backups, integer({ min: 1, max: 20 }), (manifests, keepLast) => {
        const plan = planExpiry({ manifests, keepLast, now: NOW, allowLargePlan: true });
        const kept = plan.backups.filter(({ decision }) => decision === 'keep');
        const deleted = plan.backups.filter(({ decision }) => decision === 'delete');

        expect(plan.refused).toBeNull();
        expect(plan.backups).toHaveLength(manifests.length);
        expect(kept).toHaveLength(Math.min(keepLast, manifests.length));
        for (const one of deleted) expect(kept.every(({ takenAt }) => takenAt >= one.takenAt)).toBe(true);
      }),
    );
  });

  test('more than half would go without permission: always refused; up to half: never', () => {
    assert(
      property(backups, integer({ min: 1, max: 20 }), (manifests, keepLast) => {
        const plan = planExpiry({ manifests, keepLast, now: NOW, allowLargePlan: false });
        const deleted = plan.backups.filter(({ decision }) => decision === 'delete').length;

        expect(plan.refused !== null).toBe(deleted * 2 > manifests.length);
      }),
    );
  });

  test('instants with and without milliseconds: ordered as instants, not as texts', () => {
    const manifests = [
      { backupId: 'a', takenAt: '2026-11-21T02:00:00Z' },
      { backupId: 'b', takenAt: '2026-11-21T02:00:00.500Z' },
    ];

    const plan = planExpiry({ manifests, keepLast: 1, now: NOW, allowLargePlan: true });

    expect(plan.backups.map(({ backupId }) => backupId)).toEqual(['b', 'a']);
  });
});

describe('chooseLeftovers', () => {
  const kept = {
    backupId: 'k',
    takenAt: '2026-11-20T02:00:00Z',
    decision: 'keep' as const,
    reason: '',
    outcome: 'kept' as const,
  };

  test('ids without a manifest and without a claim: only those older than every kept backup and older than 30 h are remains', () => {
    const ids = ['20261122T020000Z', '20261120T020000Z', '20261119T020000Z-2', 'runs'];

    expect(chooseLeftovers(ids, [kept], new Map(ids.map((id) => [id, 'without a claim'])), NOW)).toEqual({
      remains: ['20261119T020000Z-2'],
      leftAlone: ['20261122T020000Z', '20261120T020000Z', 'runs'],
    });
  });

  test('an attempt that ended an hour ago leaves remains, one that ended later or may be at work does not', () => {
    const anHourAgo = new Date(NOW.getTime() - 3_600_000);
    const overSince = new Map([
      ['20261122T020000Z', anHourAgo],
      ['20261122T020000Z-2', new Date(anHourAgo.getTime() + 1)],
      ['20261122T020000Z-3', undefined],
    ]);

    expect(chooseLeftovers([...overSince.keys()], [kept], overSince, NOW)).toEqual({
      remains: ['20261122T020000Z'],
      leftAlone: ['20261122T020000Z-2', '20261122T020000Z-3'],
    });
  });

  test('no backup is complete: nothing is a remain, because nothing stands in for it', () => {
    const overSince = new Map([['20200101T020000Z', 'without a claim' as const]]);

    expect(chooseLeftovers(['20200101T020000Z'], [], overSince, NOW).remains).toEqual([]);
  });
});
