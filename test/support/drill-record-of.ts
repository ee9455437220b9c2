// The record of a restore drill as a test needs it: good and complete, but for what the test changes.
import type { DrillRecord } from '../../functions/shared/drill-record.ts';

/** A drill of `backupId` that found everything equal. */
export function drillRecordOf(backupId: string, more: Partial<DrillRecord> = {}): DrillRecord {
  return {
    drillVersion: 1,
    database: 'orders',
    backupId,
    drillId: 'drill-1',
    toolVersion: '0.1.0',
    chosenAs: 'newest',
    startedAt: '2026-11-22T05:00:00.000Z',
    finishedAt: '2026-11-22T05:02:00.000Z',
    outcome: 'ok',
    problem: null,
    target: { kind: 'same server', version: '15.18' },
    rtoSeconds: 60,
    durationSeconds: 120,
    compared: { tables: 2, rows: 3, sequences: 0, largeObjects: 2, definitions: 20, assertions: 0 },
    differences: [],
    differenceCount: 0,
    findings: [],
    notProven: [],
    ...more,
  };
}
