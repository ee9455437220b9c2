import { describe, expect, test } from 'vitest';
import { buildPage } from '../../functions/report/build-page.ts';
import { describeAge, describeBytes, describeDuration } from '../../functions/report/describe-amounts.ts';
import { escapeText, html } from '../../functions/report/html.ts';
import { judgeNight, type NightFacts } from '../../functions/report/judge-night.ts';
import { parseExpectedJobs } from '../../functions/report/parse-expected-jobs.ts';
import { readFindings } from '../../functions/report/read-findings.ts';
import type { RunRecord } from '../../functions/shared/run-record.ts';

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
    backups: {
      total: 1,
      problem: null,
      shown: [
        {
          backupId: '20261122T020000Z',
          takenAt: '2026-11-22T02:00:00Z',
          bytes: 1e9,
          tables: 3,
          rows: 7,
          drill: 'ok',
          rtoSeconds: 5,
        },
      ],
    },
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
    expect(
      judgeNight(night([health('ok'), backup], { backups: { shown: [], total: 0, problem: 'damaged' } })).verdict,
    ).toBe('could not tell');
  });

  test('there is no backup, or the newest is older than its window: needs attention', () => {
    const none = judgeNight(night([health('ok'), backup], { backups: { shown: [], total: 0, problem: null } }));
    const old = judgeNight(night([health('ok'), backup], { expected: [{ job: 'backup', hours: 4 }] }));

    expect(none.reasons.map(({ text }) => text)).toContain('there is no backup');
    expect(old.reasons.map(({ text }) => text)).toContain('the newest backup is 4 h old, more than 4 hours');
  });

  test('purge stopped before its end: needs attention', () => {
    const policy = { policy: 'p', table: 't', cutoff: 'c', state: 'stopped', rowsDeleted: 1, rowsLeft: null };
    const purge = run('purge', '2026-11-22T03:00:00Z', {
      result: { policies: [{ ...policy, skipped: { held: 0, referenced: 0, other: 0 } }] },
    });

    expect(judgeNight(night([health('ok'), purge, backup])).verdict).toBe('needs attention');
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
            {
              policy: hostile,
              table: hostile,
              cutoff: hostile,
              state: 'finished',
              rowsDeleted: 1,
              skipped: { held: 0, referenced: 0, other: 0 },
              rowsLeft: 0,
            },
          ],
        },
      }),
      run('restore-drill', '2026-11-22T03:00:00Z', { result: { backupId: hostile, counts: { [hostile]: 3 } } }),
    ];
    const facts = night(records, {
      database: hostile,
      unreadable: [hostile],
      backups: { shown: [], total: 0, problem: hostile },
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

describe('html', () => {
  test('texts are escaped, markup and lists of markup are not', () => {
    const items = ['<a>', 'b'].map((text) => html`<li>${text}</li>`);

    expect(html`<ul title="${'"'}">${items}</ul>${3}`.markup).toBe(
      '<ul title="&quot;"><li>&lt;a&gt;</li><li>b</li></ul>3',
    );
  });

  test('control characters are replaced, line breaks stay', () => {
    expect(escapeText('a\u0000b\nc\u001B')).toBe('a\uFFFDb\nc\uFFFD');
  });
});

describe('parseExpectedJobs', () => {
  test('jobs with hours: a list in their order', () => {
    expect(parseExpectedJobs('backup=26,health=1')).toEqual([
      { job: 'backup', hours: 26 },
      { job: 'health', hours: 1 },
    ]);
  });

  test('a name that is no job, zero hours, twice the same: all of it in one failure', () => {
    expect(() => parseExpectedJobs('bakcup=26,health=0,purge=1,purge=2')).toThrow(
      /"bakcup" is no job; "health=0" must give 1 to 999 hours; "purge" is named twice/,
    );
  });
});

describe('describeBytes, describeDuration, describeAge', () => {
  test('bytes, durations and ages: as a person reads them', () => {
    expect([0, 812, 1_500_000, 4.2e9, 5e14].map(describeBytes)).toEqual([
      '0 B',
      '812 B',
      '1.4 MiB',
      '3.9 GiB',
      '455 TiB',
    ]);
    expect([400, 38_000, 725_000, 10_920_000].map(describeDuration)).toEqual([
      '0.4 s',
      '38 s',
      '12 min 5 s',
      '3 h 2 min',
    ]);
    expect([45_000, 720_000, 18_000_000, 273_600_000].map(describeAge)).toEqual(['45 s', '12 min', '5 h', '3 d 4 h']);
  });

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
