// What the report and the row of a night make of the answers of purge.
import { describe, expect, test } from 'vitest';
import type { PolicyResult } from '../../functions/purge/contract.ts';
import { purgeSection } from '../../functions/report/finding-sections.ts';
import { jobSection } from '../../functions/report/job-section.ts';
import { judgeNight } from '../../functions/report/judge-night.ts';
import { readFindings } from '../../functions/report/read-findings.ts';
import type { RunRecord } from '../../functions/shared/run-record.ts';
import { describeResult } from '../../local/night/describe-result.ts';
import { policyAnswer, purgeAnswer } from '../support/purge-answers.ts';

const NOW = new Date('2026-11-22T06:30:00Z');
const NOTHING = { held: 0, referenced: 0, other: 0 };

/** The record of one pass; the newest comes first, as the report reads them. */
function pass(
  finishedAt: string,
  policies: readonly Partial<PolicyResult>[],
  { complete = true, dryRun = false } = {},
): RunRecord {
  return {
    recordVersion: 1,
    database: 'orders',
    job: 'purge',
    runId: finishedAt,
    startedAt: finishedAt,
    finishedAt,
    durationMs: 1_000,
    dryRun,
    outcome: 'ok',
    result: purgeAnswer(policies.map(policyAnswer), { complete, dryRun }),
    failure: null,
  };
}

const night = (records: readonly RunRecord[]) =>
  judgeNight({
    database: 'orders',
    now: NOW,
    records,
    unreadable: [],
    findings: readFindings(records),
    expected: [{ job: 'purge', hours: 27 }],
    backups: { shown: [], total: 0, counted: undefined, drill: undefined, drillProblem: undefined },
    limits: { verifiedHours: 31, drillHours: undefined },
  });

const reasonsOf = (records: readonly RunRecord[]) =>
  night(records)
    .reasons.map(({ text }) => text)
    .filter((text) => text.includes('purge'));

describe('readFindings', () => {
  test('a purge took three passes: each policy as its newest pass tells it, and nothing of the purge before', () => {
    const paused = { state: 'paused' as const, pause: { reason: 'r', seconds: 60 } };
    const { purge, problems } = readFindings([
      pass('2026-11-22T04:00:00Z', [{ policy: 'a', rowsDone: 125 }]),
      pass('2026-11-22T03:45:00Z', [{ policy: 'a', ...paused, rowsDone: 120 }], { complete: false }),
      pass(
        '2026-11-22T03:31:00Z',
        [
          { policy: 'b', rowsDone: 7 },
          { policy: 'a', ...paused, rowsDone: 100 },
        ],
        {
          complete: false,
        },
      ),
      pass('2026-11-21T03:31:00Z', [{ policy: 'c', rowsDone: 9_000 }]),
    ]);

    expect(purge.map(({ policy, state, rowsDone }) => [policy, state, rowsDone])).toEqual([
      ['a', 'finished', 125],
      ['b', 'finished', 7],
    ]);
    expect(problems).toEqual([]);
  });

  test('a person was erased after the purge of the night: both are told, and neither hides the other', () => {
    const { purge } = readFindings([
      pass('2026-11-22T05:00:00Z', [{ policy: 'erasure', action: 'erase', cutoff: null, rowsDone: 1 }]),
      pass('2026-11-22T03:40:00Z', [{ policy: 'a', rowsDone: 5 }]),
    ]);

    expect(purge.map(({ policy, action }) => [policy, action])).toEqual([
      ['a', 'delete'],
      ['erasure', 'erase'],
    ]);
  });

  test('the newest answer is of an unknown form: a problem, never "nothing was purged"; an old one is not read at all', () => {
    const broken = { ...pass('2026-11-22T03:40:00Z', []), result: { policies: [{ policy: 'a' }] } };

    expect(readFindings([broken]).problems).toEqual([
      'the result of purge of 2026-11-22T03:40:00Z could not be understood',
    ]);
    expect(readFindings([pass('2026-11-22T04:00:00Z', [{}]), broken]).problems).toEqual([]);
  });
});

describe('judgeNight', () => {
  test.each<[Partial<PolicyResult>, string]>([
    [{ state: 'stopped' }, 'purge policy old-orders stopped before its end; rows past retention are left'],
    [
      { state: 'paused', pause: { reason: 'a replica is 40 s behind', seconds: 60 } },
      'purge policy old-orders waits for the server (a replica is 40 s behind); rows past retention are left',
    ],
    [{ warnings: ['no index begins with made_at'] }, 'purge policy old-orders: no index begins with made_at'],
  ])('a purge that did not come to its end, or warns (%j): needs attention with the reason', (more, reason) => {
    const records = [pass('2026-11-22T03:40:00Z', [more], { complete: more.state === undefined })];

    expect(night(records).verdict).toBe('needs attention');
    expect(reasonsOf(records)).toEqual([reason]);
  });

  test('a purge that came to its end, with rows that are held or referenced: no reason', () => {
    const skipped = { held: 3, referenced: 2, other: 0 };

    expect(reasonsOf([pass('2026-11-22T03:40:00Z', [{ skipped, rowsLeft: 5 }])])).toEqual([]);
  });
});

describe('the page', () => {
  const sectionOf = (...policies: Partial<PolicyResult>[]) =>
    purgeSection(readFindings([pass('2026-11-22T03:40:00Z', policies)])).markup;

  test('a policy that archives and takes rows of other tables with it: all of it stands in its row', () => {
    const section = sectionOf({
      rowsDone: 1_234,
      children: [
        { table: 'app.items', deleted: 2_000, changed: 0 },
        { table: 'app.notes', deleted: 0, changed: 34 },
      ],
      archive: { objects: 2, rows: 3_268, bytes: 5_000_000, manifestKey: 'k', manifestSha256: 's' },
      vacuum: 'done',
      certificateKey: 'orders/purged/old-orders/7/certificate.json',
    });

    expect(section).toContain('deleted</span>');
    expect(section).toContain('1,234');
    expect(section).toContain(
      '2,034 rows of other tables · 3,268 rows archived, 4.8 MiB · vacuum done · certificate orders/purged/old-orders/7/certificate.json',
    );
  });

  test('partitions and a pause: how many of them are gone, and what it waits for; a warning stands below', () => {
    const partition = { table: 't', bounds: 'b', bytes: 1, rows: null, reason: null };
    const section = sectionOf({
      action: 'drop_partition',
      state: 'paused',
      pause: { reason: 'a slot holds back 12 GB', seconds: 60 },
      partitions: [
        { ...partition, state: 'dropped' },
        { ...partition, state: 'detached' },
      ],
      warnings: ['the default partition holds 7 rows past retention'],
    });

    expect(section).toContain('<span class="pill warning">paused</span>');
    expect(section).toContain('waits: a slot holds back 12 GB · 1 of 2 partitions dropped');
    expect(section).toContain('<span class="warning">the default partition holds 7 rows past retention</span>');
  });

  test('an erasure has no cutoff: a dash, and it is called erased', () => {
    const section = sectionOf({ action: 'erase', cutoff: null });

    expect(section).toContain('erased</span>');
    expect(section).toContain('<td class="fixed">–</td>');
  });

  test('the row of the job: rows of the last pass, and that it goes on when it was not complete', () => {
    const rowOf = (complete: boolean) =>
      jobSection(night([pass('2026-11-22T03:40:00Z', [{ rowsDone: 5_000 }], { complete })]).jobs, NOW).markup;

    expect(rowOf(true)).toContain('5,000 rows deleted or anonymised<');
    expect(rowOf(false)).toContain('5,000 rows deleted or anonymised · not complete: it goes on<');
  });
});

describe('describeResult of purge', () => {
  const describePurge = (policies: Partial<PolicyResult>[], more: Parameters<typeof purgeAnswer>[1] = {}) =>
    describeResult('purge', purgeAnswer(policies.map(policyAnswer), more));

  test('two plain policies: the rows and how many policies', () => {
    expect(describePurge([{ rowsDone: 15_000 }, { rowsDone: 818 }])).toBe(
      '15,818 rows past retention deleted by 2 policies',
    );
  });

  test('everything else that happened: each in a word, and what it waits for at the end', () => {
    const figures = describePurge(
      [
        {
          action: 'anonymise',
          rowsDone: 10,
          state: 'paused',
          skipped: NOTHING,
          warnings: ['w'],
          pause: { reason: 'a replica is 40 s behind', seconds: 60 },
          children: [{ table: 'c', deleted: 2, changed: 3 }],
          archive: { objects: 1, rows: 12, bytes: 1, manifestKey: null, manifestSha256: null },
          partitions: [{ table: 't', bounds: 'b', bytes: 1, rows: null, state: 'dropped', reason: null }],
        },
      ],
      { complete: false, waitSeconds: 60 },
    );

    expect(figures).toBe(
      '10 rows past retention deleted or anonymised by 1 policy; 5 of other tables with them; 1 partition dropped; 12 rows archived; 1 warning; not complete, waits: a replica is 40 s behind',
    );
  });

  test('it stopped: not complete; a dry run: what would go', () => {
    const plan = {
      rows: 7,
      bytes: 1,
      undated: 0,
      children: [],
      estimatedBatches: 1,
      estimatedSeconds: null,
      estimatedWalBytes: 1,
      reads: 'r',
    };

    expect(describePurge([{ state: 'stopped' }], { complete: false })).toBe(
      '1 rows past retention deleted by 1 policy; not complete',
    );
    expect(describePurge([{ state: 'planned', rowsDone: 0, plan }], { dryRun: true })).toBe(
      '7 rows past retention by 1 policy; nothing was changed',
    );
  });
});
