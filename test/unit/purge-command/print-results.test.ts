import { describe, expect, test } from 'vitest';
import type { PolicyResult, PurgeResult } from '../../../functions/purge/contract.ts';
import { emptyResult } from '../../../functions/purge/run-policy.ts';
import { printHolds, printList } from '../../../local/purge/print-lists.ts';
import { printPlan, rowsToGo } from '../../../local/purge/print-plan.ts';
import { printRun } from '../../../local/purge/print-run.ts';

const policyResult = (more: Partial<PolicyResult>): PolicyResult => ({
  ...emptyResult({
    name: 'events',
    version: 2,
    action: 'delete',
    schema: 'app',
    table: 'event',
    cutoff: '2026-09-01 00:00:00+00',
    reference: null,
  }),
  ...more,
});
const result = (policies: PolicyResult[], more: Partial<PurgeResult> = {}): PurgeResult => ({
  dryRun: true,
  complete: true,
  waitSeconds: 0,
  rowsDone: 0,
  planHash: '0123456789abcdef0123456789abcdef',
  piiWithoutPolicy: [],
  policies,
  ...more,
});
const planned = policyResult({
  skipped: { held: 3, referenced: 2, other: 0 },
  warnings: ['app.event has no index on "at"'],
  plan: {
    rows: 1_500,
    bytes: 2_048,
    undated: 4,
    children: [
      { table: 'app.item', constraint: 'item_event_fkey', path: ['app.event', 'app.item'], action: 'deleted', rows: 7 },
      { table: 'app.note', constraint: 'note_fkey', path: ['app.event', 'app.note'], action: 'set null', rows: null },
      {
        table: 'app.bill',
        constraint: 'bill_fkey',
        path: ['app.event', 'app.bill'],
        action: 'keeps its parent',
        rows: null,
      },
    ],
    estimatedBatches: 3,
    estimatedSeconds: 90,
    estimatedWalBytes: 331_500,
    reads: 'Index Scan using event_at_idx on event',
  },
});

describe('printPlan', () => {
  test('a policy with children: what goes, what stays and why, and the hash', () => {
    const text = printPlan(result([planned]), false);

    expect(rowsToGo(planned)).toBe(1_495);
    expect(text).toMatch(/│ events │ 1 Sep 2026 00:00 │ 1,500 │ 3 +│ 2 +│ 1,495 +│ 90 s +│ 324 KiB │/);
    for (const line of [
      '  app.event: rows are deleted, about 2.0 KiB',
      '  app.item by item_event_fkey: 7 deleted with them',
      '  app.note by note_fkey: rows lose their reference (set null)',
      '  app.bill by bill_fkey: a row there keeps the row that it references',
      '  4 rows without a finite time are never past retention',
      '  warning: app.event has no index on "at"',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toContain('Plan 0123456789abcdef0123456789abcdef');
  });

  test('a policy of partitions: each with what becomes of it', () => {
    const text = printPlan(
      result([
        policyResult({
          action: 'drop_partition',
          partitions: [
            { table: 'app.e_2019', bounds: 'FROM a TO b', bytes: 1_024, rows: 5, state: 'planned', reason: null },
            {
              table: 'app.e_2020',
              bounds: 'FROM b TO c',
              bytes: 1_024,
              rows: 5,
              state: 'kept',
              reason: 'a hold is on it',
            },
          ],
        }),
      ]),
      false,
    );

    expect(text).toContain('app.e_2019 FROM a TO b, 1.0 KiB: would be dropped\n');
    expect(text).toContain('app.e_2020 FROM b TO c, 1.0 KiB: stays, a hold is on it\n');
  });

  test('no policy: said, with the personal data that none covers', () => {
    const pii = [{ table: 'app.person', columns: ['email', 'phone'] }];

    expect(printPlan(result([], { piiWithoutPolicy: pii }), false)).toBe(
      'There is no enabled policy, so nothing would be purged.\napp.person: classified personal data without a policy (email, phone)',
    );
  });

  test('colours: only where asked for', () => {
    expect(printPlan(result([planned]), true)).toContain('\u001b');
    expect(printPlan(result([planned]), false)).not.toContain('\u001b');
  });
});

describe('printRun', () => {
  test('done: counts, and below them children, archive and certificate', () => {
    const text = printRun(
      result([
        policyResult({
          state: 'finished',
          rowsDone: 1_495,
          rowsLeft: 5,
          skipped: { held: 3, referenced: 2, other: 0 },
          children: [{ table: 'app.item', deleted: 7, changed: 1 }],
          archive: { objects: 2, rows: 1_502, bytes: 4_096, manifestKey: 'shop/a/archive.json', manifestSha256: 'x' },
          vacuum: 'not permitted',
          certificateKey: 'shop/c/certificate.json',
          slowestBatchMs: 132,
        }),
      ]),
      false,
    );

    expect(text).toMatch(/│ events │ finished │ 1,495 │ 8 +│ 5 +│ 3 +│ 2 +│ 0.1 s +│/);
    for (const line of [
      '  app.item: 7 deleted, 1 changed',
      '  archive: 1,502 rows in 2 objects, 4.0 KiB: shop/a/archive.json',
      '  vacuum: not permitted',
      '  certificate: shop/c/certificate.json',
    ])
      expect(text.split('\n')).toContain(line);
  });

  test('not complete: what it stands still for, and that the same command goes on', () => {
    const text = printRun(
      result([policyResult({ state: 'paused', pause: { reason: 'replica a is 90 s behind', seconds: 30 } })], {
        complete: false,
      }),
      false,
    );

    expect(text).toContain('  stands still: replica a is 90 s behind\n');
    expect(text).toContain('not counted');
    expect(text).toContain('Not complete: the same command goes on behind the last batch.');
  });

  test('no policy: said', () => {
    expect(printRun(result([]), false)).toBe('There is no enabled policy, so nothing was purged.');
  });
});

describe('lists', () => {
  const policy = {
    name: 'events',
    table: 'app.event',
    action: 'delete',
    timestampColumn: 'at',
    retention: '7 years',
    predicate: null,
    archives: true,
    enabled: false,
    version: 1,
    reason: 'r',
    lastState: null,
    lastAt: null,
    lastDone: null,
    lastLeft: null,
    certificateKey: null,
  };
  const hold = {
    holdId: '4',
    table: 'app.event',
    key: null,
    ofPerson: false,
    reason: 'case 1',
    placedBy: 'dpo',
    placedAt: '2026-01-02T03:04:05Z',
    until: null,
  };

  test('a policy that is not enabled and never ran, a stop flag, a hold: each in words', () => {
    const stops = [{ stopId: '1', reason: 'load test', placedBy: 'bo', placedAt: '2026-01-02T03:04:05Z' }];
    const text = printList({ policies: [policy], holds: [hold], stops, piiWithoutPolicy: [] }, false);

    expect(text).toMatch(
      /│ events │ app.event │ archive, then delete \(not enabled\) │ 7 years after at │ never +│ – +│ – +│/,
    );
    expect(text).toContain('STOPPED by bo at 2 Jan 2026 03:04: load test. --go-on lifts it.');
    expect(text).toContain('1 in force; --holds lists the legal holds.');
  });

  test('nothing at all: said', () => {
    expect(printList({ policies: [], holds: [], stops: [], piiWithoutPolicy: [] }, false)).toBe(
      'There is no policy, so nothing is ever purged.\nNo legal hold is in force.',
    );
    expect(printHolds([], false)).toBe('No legal hold is in force.');
  });

  test('holds: of a table, of a person, until a day', () => {
    const text = printHolds(
      [hold, { ...hold, holdId: '5', key: '42', ofPerson: true, until: '2027-06-30T00:00:00Z' }],
      false,
    );

    expect(text).toMatch(/│ 4 +│ app.event │ all rows +│ case 1 │ dpo +│ 2 Jan 2026 03:04 │ until released/);
    expect(text).toMatch(/│ 5 +│ app.event │ 42 and all that leads to it │ case 1 │ dpo +│ .* │ 30 Jun 2027 00:00 +│/);
  });
});
