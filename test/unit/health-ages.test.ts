import { describe, expect, test } from 'vitest';
import { type AgeLimits, ageCheckIds } from '../../functions/health/ages/age-checks.ts';
import type { CopyProgress } from '../../functions/health/ages/check-copies.ts';
import { judgeAges } from '../../functions/health/ages/judge-ages.ts';
import type { AgeFacts } from '../../functions/health/ages/read-ages.ts';
import type { ReadableBackup } from '../../functions/shared/stored-backup.ts';
import { drillRecordOf } from '../support/drill-record-of.ts';
import { manifestOf } from '../support/store-backup.ts';

const LIMITS = { backup: 28, verified: 31, drill: 76, replica: 37 };
const TODAY = '20261122T020000Z';

function backup(backupId = TODAY): ReadableBackup {
  return {
    backupId,
    state: 'verified',
    manifest: manifestOf('orders', backupId),
    evidence: { verifications: [], drills: [] },
  };
}

/** One good backup, drilled and copied, seen at this time. */
function facts(now: string, more: Partial<AgeFacts> = {}): AgeFacts {
  const copied: CopyProgress = { backup: backup(), copied: 3, total: 3, stuck: undefined };
  return {
    now: new Date(now),
    newest: backup(),
    counted: backup(),
    drill: drillRecordOf(TODAY, { finishedAt: '2026-11-22T02:00:00.000Z' }),
    broken: [],
    unreadable: [],
    drillProblem: undefined,
    idsLeft: 0,
    copies: { seen: [copied], problem: undefined },
    ...more,
  };
}

const statuses = (given: AgeFacts | string, limits: AgeLimits = LIMITS) =>
  Object.fromEntries(judgeAges(given, limits).map(({ id, status }) => [id, status]));

describe('judgeAges', () => {
  test.each([
    ['2026-11-23T06:00:00Z', { 'backup-age': 'ok', 'verified-age': 'ok', 'drill-age': 'ok', 'replica-copy-age': 'ok' }],
    ['2026-11-23T06:00:01Z', { 'backup-age': 'critical', 'verified-age': 'ok' }],
    ['2026-11-23T09:00:01Z', { 'backup-age': 'critical', 'verified-age': 'critical', 'replica-copy-age': 'ok' }],
    ['2026-11-23T15:00:01Z', { 'replica-copy-age': 'critical', 'drill-age': 'ok' }],
    ['2026-11-25T06:00:01Z', { 'drill-age': 'critical' }],
  ])('at %s: an age at its limit is ok, a second more is critical', (now, expected) => {
    expect(statuses(facts(now))).toMatchObject(expected);
  });

  test('a snapshot in the future: a clock is wrong, so the age is unknown; some minutes are 0', () => {
    expect(statuses(facts('2026-11-22T01:50:00Z'))).toEqual(
      Object.fromEntries(ageCheckIds.map((id) => [id, 'unknown'])),
    );
    expect(judgeAges(facts('2026-11-22T01:58:00Z'), LIMITS)[0]).toMatchObject({ status: 'ok', value: 0 });
  });

  test('nothing could be read: every check is unknown with the reason and without a value', () => {
    for (const result of judgeAges('S3 says no', LIMITS)) {
      expect(result).toMatchObject({ status: 'unknown', value: null, unit: 'hours', fix: null });
      expect(result.message).toBe('the bucket of the backups could not be read: S3 says no');
    }
  });

  test('checks without a limit: they are not made', () => {
    const results = judgeAges(facts('2026-11-22T06:00:00Z'), { ...LIMITS, drill: undefined, replica: undefined });

    expect(results.map(({ id }) => id)).toEqual(['backup-age', 'verified-age']);
  });

  test('no drill is known: critical; when its evidence cannot be read: unknown', () => {
    const now = '2026-11-22T06:00:00Z';

    expect(statuses(facts(now, { drill: undefined }))).toMatchObject({ 'drill-age': 'critical' });
    expect(statuses(facts(now, { drill: undefined, drillProblem: 'p' }))).toMatchObject({ 'drill-age': 'unknown' });
  });

  test('no backup counts: there is nothing that could be copied, critical', () => {
    const none = facts('2026-11-22T06:00:00Z', { counted: undefined, copies: { seen: [], problem: undefined } });

    expect(statuses(none)).toMatchObject({ 'verified-age': 'critical', 'replica-copy-age': 'critical' });
  });
});
