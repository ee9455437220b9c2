import { describe, expect, test } from 'vitest';
import { buildPage } from '../../functions/report/build-page.ts';
import { judgeNight, type NightFacts } from '../../functions/report/judge-night.ts';
import type { Backups } from '../../functions/report/read-backups.ts';
import { readFindings } from '../../functions/report/read-findings.ts';
import { type BackupSummary, isCounted } from '../../functions/shared/backup-summary.ts';
import type { RunRecord } from '../../functions/shared/run-record.ts';
import { policyAnswer } from '../support/purge-answers.ts';
import { instantOf } from '../support/store-backup.ts';

const NOW = new Date('2026-11-22T06:30:00Z');

function run(job: RunRecord['job'], finishedAt: string, more: Partial<RunRecord> = {}): RunRecord {
  return {
    recordVersion: 1,
    database: 'orders',
    job,
    runId: `run-${finishedAt}`,
    startedAt: finishedAt,
    finishedAt,
    durationMs: 1_000,
    dryRun: false,
    outcome: 'ok',
    result: {},
    failure: null,
    ...more,
  };
}

const failed = (job: RunRecord['job'], finishedAt: string) =>
  run(job, finishedAt, { outcome: 'failed', failure: { code: 'c', problem: 'it broke', hint: 'mend it' } });

function health(status: 'ok' | 'warning' | 'critical' | 'unknown', message = 'm', finishedAt = '2026-11-22T06:15:00Z') {
  const checks = [{ id: 'connections', status, value: 1, unit: 'percent', message, fix: 'select 1' }];
  return run('health', finishedAt, { result: { checks } });
}

function summary(backupId: string, more: Partial<BackupSummary> = {}): BackupSummary {
  const takenAt = instantOf(backupId);
  return {
    backupId,
    state: 'verified',
    takenAt,
    finishedAt: takenAt,
    bytes: 1e9,
    tables: 3,
    rows: 7,
    drill: null,
    problem: null,
    ...more,
  };
}

const TODAY = '20261122T020000Z';
const YESTERDAY = '20261121T020000Z';
const drilled = { finishedAt: '2026-11-22T05:02:00Z', outcome: 'ok', rtoSeconds: 5 } as const;

/** These backups, newest first; the last drill is that of the first one that was drilled well. */
function backupsOf(...shown: BackupSummary[]): Backups {
  const good = shown.find(({ drill }) => drill?.outcome === 'ok');
  return {
    shown,
    total: shown.length,
    counted: shown.find(isCounted),
    drill: good?.drill ? { ...good.drill, backupId: good.backupId } : undefined,
    drillProblem: undefined,
  };
}

/** A night in which all is well, with the given records instead of its own. */
function night(records: readonly RunRecord[], more: Partial<NightFacts> = {}): NightFacts {
  return {
    database: 'orders',
    now: NOW,
    records,
    unreadable: [],
    findings: readFindings(records),
    expected: [
      { job: 'backup', hours: 26 },
      { job: 'health', hours: 1 },
    ],
    backups: backupsOf(summary(TODAY, { state: 'drilled', drill: drilled })),
    limits: { verifiedHours: 31, drillHours: 76 },
    ...more,
  };
}

const backup = run('backup', '2026-11-22T02:04:00Z');

describe('judgeNight', () => {
  test('every expected job was seen and nothing is unknown: ok', () => {
    expect(judgeNight(night([health('ok'), backup]))).toMatchObject({ verdict: 'ok', reasons: [] });
  });

  test('no record at all: could not tell, and the jobs that were not seen are named', () => {
    const judged = judgeNight(night([]));

    expect(judged.verdict).toBe('could not tell');
    expect(judged.reasons[0]?.text).toContain('no job has left a record');
    expect(judged.jobs.map(({ job, state }) => [job, state])).toEqual([
      ['backup', 'not seen'],
      ['health', 'not seen'],
    ]);
  });

  test.each([
    ['critical', 'needs attention'],
    ['warning', 'needs attention'],
    ['unknown', 'could not tell'],
  ] as const)('a health check is %s: %s, never ok', (status, verdict) => {
    expect(judgeNight(night([health(status), backup])).verdict).toBe(verdict);
  });

  test('a job failed and then succeeded: ok, with the failure counted', () => {
    const judged = judgeNight(night([health('ok'), backup, failed('backup', '2026-11-22T02:00:30Z')]));

    expect(judged.verdict).toBe('ok');
    expect(judged.jobs.find(({ job }) => job === 'backup')).toMatchObject({ state: 'ok', earlierFailures: 1 });
  });

  test('a job succeeded and then failed: needs attention with what broke', () => {
    const judged = judgeNight(night([health('ok'), failed('backup', '2026-11-22T05:00:00Z'), backup]));

    expect(judged.verdict).toBe('needs attention');
    expect(judged.reasons[0]?.text).toContain('it broke');
  });

  test('a job ran outside its window, or only as a dry run: not seen', () => {
    const old = judgeNight(night([backup, health('ok', 'm', '2026-11-22T05:00:00Z')]));
    const dry = judgeNight(night([health('ok'), run('backup', '2026-11-22T02:00:00Z', { dryRun: true })]));

    expect(old.jobs.find(({ job }) => job === 'health')?.state).toBe('not seen');
    expect(dry.jobs.find(({ job }) => job === 'backup')?.state).toBe('not seen');
    expect([old.verdict, dry.verdict]).toEqual(['needs attention', 'needs attention']);
  });

  test('a newer answer of a check replaces the older one', () => {
    const judged = judgeNight(night([health('ok'), health('critical', 'm', '2026-11-22T06:00:00Z'), backup]));

    expect(judged.verdict).toBe('ok');
  });

  test('records, results or manifests that cannot be read: could not tell', () => {
    const odd = run('health', '2026-11-22T06:15:00Z', { result: { checks: [{ id: 1 }] } });

    expect(judgeNight(night([health('ok'), backup], { unreadable: ['k: it is not JSON'] })).verdict).toBe(
      'could not tell',
    );
    expect(judgeNight(night([odd, backup])).verdict).toBe('could not tell');
    const unreadable = summary(YESTERDAY, { state: 'unreadable', takenAt: null, problem: 'it is not JSON' });
    const backups = backupsOf(summary(TODAY, { state: 'drilled', drill: drilled }), unreadable);
    expect(judgeNight(night([health('ok'), backup], { backups })).verdict).toBe('could not tell');
    const drillProblem = 'it is not JSON';
    expect(
      judgeNight(
        night([health('ok'), backup], { backups: { ...backups, shown: backups.shown.slice(0, 1), drillProblem } }),
      ).verdict,
    ).toBe('could not tell');
  });

  test('there is no backup, or the newest that counts is older than its limit: needs attention', () => {
    const none = judgeNight(night([health('ok'), backup], { backups: backupsOf() }));
    const old = judgeNight(night([health('ok'), backup], { limits: { verifiedHours: 4, drillHours: 76 } }));

    expect(none.reasons.map(({ text }) => text)).toContain('there is no backup');
    expect(old.reasons.map(({ text }) => text)).toContain(
      'the RPO is not met: the newest drilled backup is 4 h old, more than 4 hours',
    );
  });

  test.each([
    [
      'only a candidate',
      backupsOf(summary(TODAY, { state: 'candidate' })),
      ['no backup may be relied on: none is verified', 'no restore drill that was ok is known'],
    ],
    [
      'the newest is broken',
      backupsOf(
        summary(TODAY, { state: 'broken', problem: '1 finding of verify' }),
        summary(YESTERDAY, { state: 'drilled', drill: drilled }),
      ),
      [`backup ${TODAY} is broken: 1 finding of verify`],
    ],
    [
      'the newest verified one is older than the limit',
      backupsOf(
        summary(TODAY, { state: 'candidate', drill: drilled }),
        summary('20261120T020000Z', { state: 'verified' }),
      ),
      ['the RPO is not met: the newest verified backup is 2 d 4 h old, more than 31 hours'],
    ],
    [
      'the last drill is too long ago',
      backupsOf(summary(TODAY, { state: 'drilled', drill: { ...drilled, finishedAt: '2026-11-18T06:30:00Z' } })),
      ['the last restore drill that was ok is 4 d 0 h ago, more than 76 hours'],
    ],
  ])('%s: needs attention with the reason', (_, backups, reasons) => {
    const judged = judgeNight(night([health('ok'), backup], { backups }));

    expect(judged.verdict).toBe('needs attention');
    expect(judged.reasons.map(({ text }) => text)).toEqual(reasons);
  });

  test('an old broken backup with a newer good one: no reason, and drills without a limit are not missed', () => {
    const broken = summary(YESTERDAY, { state: 'broken', problem: 'p' });
    const limits = { verifiedHours: 31, drillHours: undefined };

    expect(
      judgeNight(night([health('ok'), backup], { backups: backupsOf(summary(TODAY), broken), limits })),
    ).toMatchObject({ verdict: 'ok', reasons: [] });
  });

  test('health said of an earlier minute that there is no backup: what the report sees itself counts', () => {
    const checks = [{ id: 'backup-age', status: 'critical', value: null, unit: 'hours', message: 'm', fix: null }];
    const earlier = run('health', '2026-11-22T06:15:00Z', { result: { checks } });

    expect(judgeNight(night([earlier, backup])).verdict).toBe('ok');
  });
});

describe('buildPage', () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'&\u202E`;

  test('hostile names and messages everywhere: none of them becomes markup', () => {
    const records = [
      health('critical', hostile),
      run('backup', '2026-11-22T02:04:00Z', {
        outcome: 'failed',
        failure: { code: hostile, problem: hostile, hint: hostile },
      }),
      run('purge', '2026-11-22T03:00:00Z', {
        result: {
          policies: [
            policyAnswer({
              policy: hostile,
              table: hostile,
              cutoff: hostile,
              certificateKey: hostile,
              warnings: [hostile],
              state: 'paused',
              pause: { reason: hostile, seconds: 1 },
            }),
          ],
        },
      }),
      run('restore-drill', '2026-11-22T03:00:00Z', { result: { backupId: hostile, counts: { [hostile]: 3 } } }),
    ];
    const facts = night(records, {
      database: hostile,
      unreadable: [hostile],
      backups: backupsOf(summary(hostile, { state: 'broken', problem: hostile })),
    });

    const page = buildPage(facts, judgeNight(facts), hostile, hostile);

    expect(page).not.toContain('<script');
    expect(page).not.toContain('<img');
    expect(page).not.toContain('\u202E');
    expect(page.split('&lt;script&gt;').length).toBeGreaterThan(8);
  });

  test('the page needs nothing else: no script, no address, no picture, and a policy that forbids them', () => {
    const facts = night([health('ok'), backup]);

    const page = buildPage(facts, judgeNight(facts), 'run-1', '0.1.0');

    expect(page).not.toMatch(/https?:|<script|<img|<link|url\(/);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).toContain('prefers-color-scheme: dark');
    expect(page).toContain('All is ok');
    expect(page).toContain('all 1 health checks could look');
  });

  test('no result of health is there and none was expected: the page does not claim that anything was checked', () => {
    const facts = night([backup], { expected: [{ job: 'backup', hours: 26 }] });

    const page = buildPage(facts, judgeNight(facts), 'run-1', '0.1.0');

    expect(page).toContain('no health check was seen');
    expect(page).not.toContain('could look');
  });

  test('backups in every state: each is a word in its pill, with what is wrong below it and the RPO above', () => {
    const facts = night([health('ok'), backup], {
      backups: backupsOf(
        summary('20261122T040000Z', {
          state: 'unreadable',
          takenAt: null,
          bytes: null,
          rows: null,
          problem: 'not JSON',
        }),
        summary('20261122T030000Z', {
          state: 'broken',
          problem: 'restore drill: different: p',
          drill: { ...drilled, outcome: 'different' },
        }),
        summary('20261122T020000Z', { state: 'candidate' }),
        summary('20261121T020000Z', { state: 'drilled', drill: drilled }),
        summary('20261120T020000Z'),
      ),
    });

    const page = buildPage(facts, judgeNight(facts), 'r', 'v');

    for (const pill of [
      'ok proven">drilled',
      'ok">verified',
      'unknown">candidate',
      'critical">broken',
      'unknown">unreadable',
    ])
      expect(page).toContain(`<span class="pill ${pill}</span>`);
    expect(page).toContain('restore drill: different: p');
    expect(page).toContain('88 min ago, RTO 5.0 s');
    expect(page).toMatch(
      /The last <b>28 h<\/b> would be lost with the database now, <span class="soft">within the limit of 31 hours/,
    );
  });

  test('nothing counts, or the limit is passed: the line of the RPO says so', () => {
    const pageOf = (backups: Backups) => {
      const facts = night([health('ok'), backup], { backups });
      return buildPage(facts, judgeNight(facts), 'r', 'v');
    };

    expect(pageOf(backupsOf())).toContain('Everything would be lost with the database.');
    expect(pageOf(backupsOf(summary(TODAY, { state: 'candidate' })))).toContain(
      'Everything would be lost with the database: none was verified.',
    );
    expect(pageOf(backupsOf(summary('20261120T020000Z')))).toContain('21 h over the limit of 31 hours');
  });

  test('a job was not seen: it is named in red, with the words', () => {
    const facts = night([backup]);

    const page = buildPage(facts, judgeNight(facts), 'run-1', '0.1.0');

    expect(page).toContain('<span class="pill critical">not seen</span>');
    expect(page).toContain('health was not seen within 1 hour');
  });

  test('a check is not ok: its SQL is shown; the one that is ok has none', () => {
    const bad = night([health('warning'), backup]);
    const good = night([health('ok'), backup]);

    expect(buildPage(bad, judgeNight(bad), 'r', 'v')).toContain('<code class="fix">select 1</code>');
    expect(buildPage(good, judgeNight(good), 'r', 'v')).not.toContain('<code class="fix">');
  });
});

describe('the figures of expire', () => {
  test('expire has run: its figures, with the policy, and nothing of locks where there is none', () => {
    const result = { expired: 1, backups: [{}, {}, {}], policy: 'within 30d', lockedVersionCount: 0 };
    const pageOf = (more: object) => {
      const facts = night([
        health('ok'),
        backup,
        run('expire', '2026-11-22T04:30:00Z', { result: { ...result, ...more } }),
      ]);
      return buildPage(facts, judgeNight(facts), 'run-1', '0.1.0');
    };

    expect(pageOf({})).toContain('1 backups expired · 2 kept · policy: within 30d<');
    expect(pageOf({ lockedVersionCount: 3 })).toContain('2 kept · 3 versions locked · policy');
  });
});
