import { describe, expect, test } from 'vitest';
import { backupState, countsAsBackup } from '../../../functions/shared/backup-state.ts';
import { parseDrillRecord } from '../../../functions/shared/drill-record.ts';
import type { Verification } from '../../../functions/shared/verification.ts';
import { drillRecordOf } from '../../support/drill-record-of.ts';
import { makeArchive } from '../../support/stored-archive.ts';

const backupId = '20261122T020000Z';
const { manifest } = makeArchive({ database: 'orders', backupId, codec: 'gzip', seed: 1 });

function verification(outcome: Verification['outcome']): Verification {
  return {
    verificationVersion: 1,
    database: 'orders',
    backupId,
    runId: 'run',
    toolVersion: '0.1.0',
    startedAt: '2026-11-22T03:00:00.000Z',
    finishedAt: '2026-11-22T03:01:00.000Z',
    outcome,
    sample: null,
    read: { objects: 1, bytes: 1, rows: 1 },
    tables: [],
    largeObjects: null,
    findings: [],
    findingCount: outcome === 'ok' ? 0 : 1,
  };
}

const good = [verification('ok')];
const failedDrill = drillRecordOf(backupId, { outcome: 'different', problem: 'p' });

describe('backupState', () => {
  test.each([
    ['nothing is known: candidate', [], [], 'candidate'],
    ['read whole: verified', good, [], 'verified'],
    ['read whole and drilled: drilled', good, [drillRecordOf(backupId)], 'drilled'],
    ['drilled but never read whole: it stays a candidate', [], [drillRecordOf(backupId)], 'candidate'],
    ['its newest drill failed: broken', good, [drillRecordOf(backupId), failedDrill], 'broken'],
    ['a later drill is ok: drilled', good, [failedDrill, drillRecordOf(backupId)], 'drilled'],
    [
      'the newest drill proved nothing: the one before it counts',
      good,
      [failedDrill, drillRecordOf(backupId, { outcome: 'unproven', problem: 'p' })],
      'broken',
    ],
    ['damaged and drilled: broken', [...good, verification('damaged')], [drillRecordOf(backupId)], 'broken'],
    ['a drill of another backup: not counted', good, [drillRecordOf('20261121T020000Z')], 'verified'],
  ] as const)('%s', (_, verifications, drills, expected) => {
    expect(backupState(manifest, { verifications, drills })).toBe(expected);
  });

  test('verified and drilled backups count, candidates and broken ones do not', () => {
    const states = ['candidate', 'verified', 'drilled', 'broken'] as const;

    expect(states.filter(countsAsBackup)).toEqual(['verified', 'drilled']);
  });
});

describe('parseDrillRecord', () => {
  const key = `orders/${backupId}/drilled/drill-1.json`;

  test('what a drill writes: read as it was', () => {
    expect(parseDrillRecord(key, JSON.stringify(drillRecordOf(backupId)))).toEqual(drillRecordOf(backupId));
  });

  test.each([
    ['no JSON', 'ok', /is not JSON/],
    ['another version', JSON.stringify({ ...drillRecordOf(backupId), drillVersion: 2 }), /drillVersion/],
    ['an unknown outcome', JSON.stringify({ ...drillRecordOf(backupId), outcome: 'fine' }), /outcome/],
  ])('%s: refused with the key', (_, recordText, problem) => {
    expect(() => parseDrillRecord(key, recordText)).toThrow(problem);
    expect(() => parseDrillRecord(key, recordText)).toThrow(`the evidence "${key}" cannot be used`);
  });
});
