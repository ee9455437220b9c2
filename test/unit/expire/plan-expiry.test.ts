import { describe, expect, test } from 'vitest';
import { parseKeepPolicy } from '../../../functions/expire/keep-policy.ts';
import { type ExpiringBackup, type PlanRequest, planExpiry } from '../../../functions/expire/plan-expiry.ts';

const NOW = new Date('2026-11-22T06:00:00Z');
const DAY_MS = 86_400_000;

/** A backup of so many days ago at 02:00; its id says the same. */
function backup(daysAgo: number, state: ExpiringBackup['state'] = 'verified'): ExpiringBackup {
  const takenAt = new Date(Date.parse('2026-11-22T02:00:00Z') - daysAgo * DAY_MS).toISOString();
  return { backupId: takenAt.replaceAll(/[-:]|\.\d+/g, ''), takenAt, bytes: 1, state };
}

function plan(backups: ExpiringBackup[], keep: string, more: Partial<PlanRequest> = {}) {
  return planExpiry({
    backups,
    settings: {
      keep: parseKeepPolicy(keep) ?? {},
      timeZone: 'Etc/UTC',
      keepAtLeast: 1,
      keepUnverifiedDays: 7,
      maxDeletePercent: 100,
    },
    now: NOW,
    lastRun: new Date(NOW.getTime() - DAY_MS),
    unreadable: [],
    allowLargePlan: false,
    clockIsRight: false,
    ...more,
  });
}

const told = ({ backups }: ReturnType<typeof plan>) =>
  backups.map(({ state, decision, reasons }) => `${state} ${decision}: ${reasons.join(' + ')}`);

function settings(more: Partial<PlanRequest['settings']>): Pick<PlanRequest, 'settings'> {
  const base = { timeZone: 'Etc/UTC', keepAtLeast: 1, keepUnverifiedDays: 7, maxDeletePercent: 100 };
  return { settings: { keep: { last: 1 }, ...base, ...more } };
}

describe('planExpiry', () => {
  test('a policy keeps one of three: the newest has every reason, the others say that no rule keeps them', () => {
    expect(told(plan([backup(2), backup(0), backup(1, 'drilled')], 'last=1,monthly=1'))).toEqual([
      'verified keep: last 1 of 1 + monthly 2026-11 + newest verified',
      'drilled delete: no rule keeps it (last 1, monthly 1)',
      'verified delete: no rule keeps it (last 1, monthly 1)',
    ]);
  });

  test('only verified and drilled ones fill buckets: a newer candidate and a newer broken one take no place', () => {
    expect(told(plan([backup(0, 'candidate'), backup(1, 'broken'), backup(2), backup(3)], 'last=1'))).toEqual([
      'candidate keep: not verified, but there is no newer verified one',
      'broken keep: broken, but there is no newer verified one',
      'verified keep: last 1 of 1 + newest verified',
      'verified delete: no rule keeps it (last 1)',
    ]);
  });

  test('unverified ones go when they are older than keepUnverifiedDays and a newer one counts', () => {
    expect(
      told(plan([backup(0), backup(6, 'candidate'), backup(7, 'candidate'), backup(8, 'broken')], 'last=5')),
    ).toEqual([
      'verified keep: last 1 of 5 + newest verified',
      'candidate keep: not verified, kept for 7 days',
      // 7 days and 4 hours.
      'candidate delete: not verified for more than 7 days, 20261122T020000Z is newer and verified',
      'broken delete: broken for more than 7 days, 20261122T020000Z is newer and verified',
    ]);
  });

  test('nothing was ever verified: nothing goes, however old', () => {
    const old = plan([backup(100, 'candidate'), backup(200, 'broken'), backup(300, 'candidate')], 'last=1');

    expect(old.backups.map(({ decision }) => decision)).toEqual(['keep', 'keep', 'keep']);
  });

  test('the rules keep fewer than keepAtLeast: the newest others fill up', () => {
    const few = plan([backup(0), backup(1), backup(2), backup(3)], 'last=1', settings({ keepAtLeast: 3 }));

    expect(told(few).map((line) => line.split(': ')[1])).toEqual([
      'last 1 of 1 + newest verified',
      'at least 3',
      'at least 3',
      'no rule keeps it (last 1)',
    ]);
  });

  test('two of the same instant: the later id is the newer one, in whatever order they come', () => {
    const twins = [backup(0), { ...backup(0), backupId: '20261122T020000Z-2' }];

    for (const order of [twins, twins.toReversed()])
      expect(plan(order, 'last=1').backups.map(({ backupId, decision }) => `${backupId} ${decision}`)).toEqual([
        '20261122T020000Z-2 keep',
        '20261122T020000Z delete',
      ]);
  });

  test('instants with and without milliseconds: ordered as instants, not as texts', () => {
    const a = { ...backup(0), takenAt: '2026-11-21T02:00:00Z', backupId: 'a' };
    const b = { ...backup(0), takenAt: '2026-11-21T02:00:00.500Z', backupId: 'b' };

    expect(plan([a, b], 'last=1').backups.map(({ backupId }) => backupId)).toEqual(['b', 'a']);
  });

  test('evidence could not be read: the backup is unknown, kept, and the plan is refused', () => {
    const one = plan([backup(0), backup(9, 'unknown')], 'last=1', { unreadable: ['the evidence "x" cannot be used'] });

    expect(told(one)[1]).toBe('unknown keep: its evidence could not be read');
    expect(one.refused).toBe('what cannot be read cannot be judged: the evidence "x" cannot be used');
  });

  test('the policy is empty: refused, and every backup that counts is kept', () => {
    const empty = plan([backup(0), backup(1)], '');

    expect(empty.refused).toContain('the policy is empty');
    expect(empty.backups.every(({ decision }) => decision === 'keep')).toBe(true);
  });

  test('the newest backup, though it does not count, is in the future of the clock: refused', () => {
    expect(plan([backup(-1, 'candidate'), backup(1)], 'last=1').refused).toContain('in the future');
  });

  test.each([
    ['45 days', new Date(NOW.getTime() - 45 * DAY_MS), null],
    ['a millisecond more', new Date(NOW.getTime() - 45 * DAY_MS - 1), 'at most 45 are allowed'],
    ['never', undefined, null],
    ['not known', 'run record "x" cannot be read', 'when expire ran last is not known: run record "x"'],
  ])('the last run was %s ago: %3$s', (_, lastRun, refusal) => {
    const { refused } = plan([backup(0)], 'last=1', { lastRun });

    if (refusal === null) expect(refused).toBeNull();
    else expect(refused).toContain(refusal);
    expect(plan([backup(0)], 'last=1', { lastRun, clockIsRight: true }).refused).toBeNull();
  });

  test('more than maxDeletePercent of the verified would go: refused; exactly so many: not; unverified do not count', () => {
    const four = [backup(0), backup(1), backup(2), backup(3), backup(9, 'candidate'), backup(10, 'candidate')];
    const half = settings({ keep: { last: 2 }, maxDeletePercent: 50 });
    const more = settings({ keep: { last: 1 }, maxDeletePercent: 50 });

    expect(plan(four, 'last=2', half).refused).toBeNull();
    expect(plan(four, 'last=1', more).refused).toBe('it would delete 3 of 4 verified backups, more than 50 % at once');
    expect(plan(four, 'last=1', { ...more, allowLargePlan: true }).refused).toBeNull();
  });

  test('allowLargePlan: it lifts that one refusal and no other', () => {
    const future = {
      ...settings({ maxDeletePercent: 1 }),
      allowLargePlan: true,
      now: new Date('2026-11-20T00:00:00Z'),
    };

    expect(plan([backup(0), backup(1)], 'last=1', future).refused).toContain('in the future');
  });
});
