import { describe, expect, test } from 'vitest';
import { allChecks, checksOfTier } from '../../functions/health/all-checks.ts';
import { gradeValue, type ServerFacts } from '../../functions/health/check-definition.ts';
import { connections } from '../../functions/health/checks/connections.ts';
import { type HalfDoneRow, halfDoneMigration } from '../../functions/health/checks/half-done-migration.ts';
import { invalidIndexes } from '../../functions/health/checks/invalid-indexes.ts';
import { multixactAge } from '../../functions/health/checks/multixact-age.ts';
import { oldestXmin } from '../../functions/health/checks/oldest-xmin.ts';
import { type PiiWithoutPolicyRow, piiWithoutPolicy } from '../../functions/health/checks/pii-without-policy.ts';
import { type PurgeBacklogRow, purgeBacklog } from '../../functions/health/checks/purge-backlog.ts';
import { purgeLag } from '../../functions/health/checks/purge-lag.ts';
import { type PurgeStopRow, purgeStop } from '../../functions/health/checks/purge-stop.ts';
import { sequences } from '../../functions/health/checks/sequences.ts';
import { server } from '../../functions/health/checks/server.ts';
import { transactionIdAge } from '../../functions/health/checks/transaction-id-age.ts';
import { describeSeconds, describeSession } from '../../functions/health/describe-finding.ts';
import { listSqlFiles } from '../../functions/shared/sql-files.ts';

const facts: ServerFacts = {
  version: '15.18',
  versionNumber: 150_018,
  inRecovery: false,
  upSeconds: 3_600,
  roleName: 'nightshift_health',
  readsAllStats: true,
};

describe('gradeValue', () => {
  test.each([
    [null, 'unknown'],
    [Number.NaN, 'unknown'],
    [79.9, 'ok'],
    [80, 'warning'],
    [89.9, 'warning'],
    [90, 'critical'],
  ])('value %s at 80 and 90: %s', (value, status) => {
    expect(gradeValue(value, { warning: 80, critical: 90 })).toBe(status);
  });
});

describe('judge', () => {
  test.each([
    [219_999_999, 'ok'],
    [220_000_000, 'warning'],
    [299_999_999, 'warning'],
    [300_000_000, 'critical'],
  ])('oldest transaction id %d old, setting 200 million: %s', (value, status) => {
    const row = { value, database_name: 'orders', is_current: true, freeze_max_age: 200_000_000 };

    expect(transactionIdAge.judge([row], transactionIdAge.thresholds, facts).status).toBe(status);
  });

  test('oldest id a thousand million old under a setting that allows more: critical all the same', () => {
    const row = { value: 1e9, database_name: 'orders', is_current: false, freeze_max_age: 2e9 };

    const finding = transactionIdAge.judge([row], transactionIdAge.thresholds, facts);

    expect(finding.status).toBe('critical');
    expect(finding.message).toContain('1,147,483,648 are left');
    expect(finding.fix).toContain('in database "orders"');
  });

  test('multixact age null, no row, or a setting of zero: unknown', () => {
    const row = { value: 5, database_name: 'orders', is_current: true, freeze_max_age: 400_000_000 };

    const judged = [[{ ...row, value: null }], [], [{ ...row, freeze_max_age: 0 }], [row]].map(
      (rows) => multixactAge.judge(rows, multixactAge.thresholds, facts).status,
    );

    expect(judged).toEqual(['unknown', 'unknown', 'unknown', 'ok']);
  });

  test('no connection is usable by applications, or no row came back: unknown', () => {
    const row = { value: null, backends: 3, idle: 0, usable: 0 };

    expect(connections.judge([row], connections.thresholds, facts).status).toBe('unknown');
    expect(connections.judge([], connections.thresholds, facts).status).toBe('unknown');
  });

  test('the server is older or newer than the checks: unknown, because they are not made for it', () => {
    const versions = [130_011, 140_000, 180_001, 190_000];

    const judged = versions.map(
      (versionNumber) => server.judge([], server.thresholds, { ...facts, versionNumber }).status,
    );

    expect(judged).toEqual(['unknown', 'ok', 'ok', 'unknown']);
  });

  test.each([
    ['session', '42', 'pid 42', 'pg_terminate_backend(42)'],
    ['slot', "it's", 'replication slot "it\'s"', "pg_drop_replication_slot('it''s')"],
    ['prepared', 'p-1', 'prepared transaction "p-1"', "rollback prepared 'p-1'"],
    ['standby', '7', 'standby "reader"', 'pg_stat_replication'],
  ] as const)('a %s holds the oldest xmin: named, with SQL that fits it', (kind, name, message, fix) => {
    const row = {
      value: 2e8,
      kind,
      name,
      role_name: null,
      application_name: 'reader',
      state: null,
      open_seconds: null,
    };

    const finding = oldestXmin.judge([row], oldestXmin.thresholds, facts);

    expect(finding.status).toBe('critical');
    expect(finding.message).toContain(message);
    expect(finding.fix).toContain(fix);
  });

  test('the copy of a unique index that REINDEX CONCURRENTLY left: a warning, because the original still protects', () => {
    const row = {
      value: 1,
      schema_name: 's',
      index_name: 'k_ccnew',
      table_name: 't',
      is_unique: true,
      is_rebuild: true,
    };

    const finding = invalidIndexes.judge([row], invalidIndexes.thresholds, facts);

    expect(finding.status).toBe('warning');
    expect(finding.fix).toContain('drop index concurrently "s"."k_ccnew"');
  });

  test('a sequence is nearly full and another unreadable: critical wins, and the unreadable one is told', () => {
    const row = { schema_name: 's', column_name: null, column_type: null, last_value: '99', last_usable: '100' };
    const rows = [
      { ...row, value: null, sequence_name: 'dark' },
      { ...row, value: 99, sequence_name: 'full' },
    ];

    const finding = sequences.judge(rows, sequences.thresholds, facts);

    expect(finding.status).toBe('critical');
    expect(finding.message).toContain('1 more could not be read');
  });
});

describe('halfDoneMigration', () => {
  const row = { number: 7, name: 'index_orders', state: 'going up', statements_done: 2 };
  const judge = (rows: readonly HalfDoneRow[]) => halfDoneMigration.judge(rows, halfDoneMigration.thresholds, facts);

  test('no file is half done: ok with the value 0, so that its metric has a datapoint', () => {
    expect(judge([])).toMatchObject({ status: 'ok', value: 0 });
  });

  test.each([
    [0, 'warning'],
    [5.9, 'warning'],
    [6, 'critical'],
  ])('a file is half done for %d h: %s, with the file and what to do', (value, status) => {
    const finding = judge([{ ...row, value }]);

    expect(finding).toMatchObject({ status, value });
    expect(finding.message).toContain('migration 7 "index_orders" is half done (going up, 2 of its statements');
    expect(finding.message).toContain('up goes on');
  });

  test('it is half reverted: down goes on; nobody knows since when: unknown', () => {
    expect(judge([{ ...row, state: 'going down', value: 1 }]).message).toContain('down goes on');
    expect(judge([{ ...row, value: null }])).toMatchObject({ status: 'unknown', value: null });
  });
});

describe('purgeLag', () => {
  const limited = { ...purgeLag.thresholds, critical: 72 * 3_600 };
  const row = { policy: 'old-orders', is_first: false };

  test('no policy is enabled: ok with the value 0, so that its metric has a datapoint', () => {
    expect(purgeLag.judge([], limited, facts)).toMatchObject({ status: 'ok', value: 0 });
  });

  test.each([
    [0, 'ok'],
    [72 * 3_600 - 1, 'ok'],
    [72 * 3_600, 'critical'],
  ])('a policy waits for %d s with a limit of 72 h: %s, with the policy and the limit', (value, status) => {
    const finding = purgeLag.judge([{ ...row, value }], limited, facts);

    expect(finding).toMatchObject({ status, value });
    expect(finding.message).toContain('policy "old-orders"');
    expect(finding.message).toContain('the limit is 3 d 0 h');
  });

  test('no purge of it was ever finished: the message says so; no time: unknown, never ok', () => {
    expect(purgeLag.judge([{ ...row, is_first: true, value: 60 }], limited, facts).message).toContain(
      'has waited for its first finished purge',
    );
    expect(purgeLag.judge([{ ...row, value: null }], limited, facts).status).toBe('unknown');
  });
});

describe('purgeBacklog', () => {
  const row = { policies: 3, uncounted: 0, largest_policy: 'old-orders', largest: 90_000 };
  const judge = (more: Partial<PurgeBacklogRow> & { value: number | null }) =>
    purgeBacklog.judge([{ ...row, ...more }], purgeBacklog.thresholds, facts);

  test.each([
    [0, 'ok'],
    [99_999, 'ok'],
    [100_000, 'warning'],
    [1e12, 'warning'],
  ])('%d rows are left: %s, never critical', (value, status) => {
    expect(judge({ value })).toMatchObject({ status, value });
  });

  test('rows are left: the policy with the most of them is named, and how many were never counted', () => {
    expect(judge({ value: 120_000, uncounted: 1 }).message).toBe(
      'the last purges have left 120,000 rows past retention that no legal hold keeps, most by policy "old-orders" (90,000); of 1 of 3 policies no purge has counted yet',
    );
  });

  test('no policy: 0; no answer: unknown without a value, so that its metric has no datapoint', () => {
    expect(judge({ value: 0, policies: 0 })).toMatchObject({ status: 'ok', value: 0 });
    for (const rows of [[], [{ ...row, value: null }]])
      expect(purgeBacklog.judge(rows, purgeBacklog.thresholds, facts)).toMatchObject({
        status: 'unknown',
        value: null,
      });
  });
});

describe('purgeStop', () => {
  const judge = (rows: readonly PurgeStopRow[]) => purgeStop.judge(rows, purgeStop.thresholds, facts);

  test.each([
    [0, 'ok'],
    [23.9, 'ok'],
    [24, 'warning'],
  ])('the flag is set for %d h: %s, with who has set it', (value, status) => {
    const finding = judge([{ value, placed_by: 'ana', flags: 2 }]);

    expect(finding).toMatchObject({ status, value });
    expect(finding.message).toContain('by a flag that "ana" has set, and 1 more');
    expect(finding.fix === null).toBe(status === 'ok');
  });

  test('no flag: ok; no time: unknown', () => {
    expect(judge([])).toMatchObject({ status: 'ok', value: 0 });
    expect(judge([{ value: null, placed_by: 'ana', flags: 1 }]).status).toBe('unknown');
  });
});

describe('piiWithoutPolicy', () => {
  const row = { schema_name: 'app', table_name: 'users', columns: ['a', 'b', 'c', 'd'] };
  const judge = (rows: readonly PiiWithoutPolicyRow[]) =>
    piiWithoutPolicy.judge(rows, piiWithoutPolicy.thresholds, facts);

  test('two tables: a warning with the first one, its columns and how many more, and no SQL that would delete', () => {
    expect(judge([{ ...row, value: 2 }])).toEqual({
      status: 'warning',
      value: 2,
      message:
        'table "app.users" has classified personal data (a, b, c and 1 more) and no enabled retention policy, so it is kept for good; 1 more table has none either',
      fix: null,
    });
  });

  test('no table: ok; no count: unknown', () => {
    expect(judge([])).toMatchObject({ status: 'ok', value: 0 });
    expect(judge([{ ...row, value: null }]).status).toBe('unknown');
  });
});

describe('allChecks', () => {
  test('every SQL file of health is used by a check, and every file a check names is there', () => {
    const named = allChecks.flatMap(({ sql }) => sql.map(({ file }) => file));

    expect([...named, 'server.sql'].toSorted()).toEqual(listSqlFiles('health'));
  });

  test('ids are unique, and a slower tier runs what the faster ones run', () => {
    const ids = allChecks.map(({ id }) => id);

    expect(new Set(ids).size).toBe(ids.length);
    expect(checksOfTier('minute').length).toBeLessThan(checksOfTier('quarter-hour').length);
    expect(checksOfTier('daily')).toEqual(allChecks);
  });

  test('the config gives limits: the checks have them in the tiers that run them, and no other changes', () => {
    const limits = { halfDoneHours: 12, purgeLagHours: 30, purgeBacklogRows: 7 };
    const changed = checksOfTier('daily', limits).filter((check) => !allChecks.includes(check));

    expect(changed.map(({ id, thresholds }) => [id, thresholds.warning, thresholds.critical])).toEqual([
      ['half-done-migration', null, 12],
      ['purge-lag', null, 108_000],
      ['purge-backlog', 7, null],
    ]);
    expect(checksOfTier('minute', limits)).toEqual(checksOfTier('minute'));
  });

  test('purge is not scheduled: its lag has no limit, and the check is ok however long it is', () => {
    const limits = { halfDoneHours: 12, purgeLagHours: undefined, purgeBacklogRows: 7 };
    const check = checksOfTier('quarter-hour', limits).find(({ id }) => id === 'purge-lag');

    expect(check?.thresholds).toMatchObject({ warning: null, critical: null });
    const row = { value: 9e6, policy: 'p', is_first: false };
    expect(check?.judge([row], check.thresholds, facts)).toMatchObject({ status: 'ok', value: 9e6 });
  });
});

describe('describeSeconds', () => {
  test.each([
    [0.4, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [10_920, '3 h 2 min'],
    [360_000, '4 d 4 h'],
  ])('%d seconds: %s', (seconds, words) => {
    expect(describeSeconds(seconds)).toBe(words);
  });
});

describe('describeSession', () => {
  test('names are hidden or empty: only what is known is said', () => {
    expect(describeSession({ pid: 1, role_name: null, application_name: '' })).toBe('pid 1');
    expect(describeSession({ pid: 1, role_name: 'app', application_name: 'web', database_name: 'db' })).toBe(
      'pid 1 (role "app", application "web", database "db")',
    );
  });
});
