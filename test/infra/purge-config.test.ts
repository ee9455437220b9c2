import { describe, expect, test } from 'vitest';
import { purgeSettings } from '../../functions/purge/environment.ts';
import { backupsKeptDays } from '../../infra/backups-kept-days.ts';
import type { DatabaseSettings } from '../../infra/config.ts';
import { checkConfig } from '../../infra/load-config.ts';
import { archiveKeptDays, maxSlotBytes } from '../../infra/purge-config.ts';
import { now, sampleDatabase } from './synthesized.ts';

const check = (replaced: Partial<DatabaseSettings>) => checkConfig({ databases: [sampleDatabase(replaced)] }, now);
const problemsOf = (purge: object, more: Partial<DatabaseSettings> = {}) => check({ purge, ...more }).problems ?? [];
const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';

describe('the section purge of the config', () => {
  test('nothing is configured: six hours for the workflow, and no wait, archive end, signature or backup is assumed', () => {
    const { databases } = check({});

    expect(databases?.[0]?.purge).toEqual({ timeoutSeconds: 900, memoryMiB: 512, longestHours: 6 });
  });

  test.each([
    [{ targetBatchMs: 49 }, 'targetBatchMs: is 49; must be a whole number from 50 to 150'],
    [{ targetBatchMs: 151 }, 'targetBatchMs: is 151; must be a whole number from 50 to 150'],
    [{ longestHours: 21 }, 'longestHours: is 21; must be a whole number of hours from 1 to 20'],
    [{ longestHours: 0 }, 'longestHours: is 0; must be a whole number of hours from 1 to 20'],
    [{ archiveKeepDays: 0 }, 'archiveKeepDays: is 0; must be a whole number of days from 1 to 3650'],
    [
      { onlyAfterVerifiedBackupHours: 0.5 },
      'onlyAfterVerifiedBackupHours: is 0.5; must be a whole number from 1 to 2160',
    ],
    [{ maxSlotGiB: 0 }, 'maxSlotGiB: is 0; must be a whole number of GiB from 1 to 90000'],
    [{ signingKeyArn: 'alias/sign' }, 'signingKeyArn: is "alias/sign"; must be the ARN of a KMS key'],
    [{ keepArchive: 1 }, ': has unknown "keepArchive"'],
  ])('%j: it is refused with the range', (purge, words) => {
    expect(problemsOf(purge)).toEqual([expect.stringContaining(words)]);
  });

  test('a signing key of another region, where the function would not find it: refused', () => {
    expect(problemsOf({ signingKeyArn: KEY })).toEqual([]);
    expect(problemsOf({ signingKeyArn: KEY.replace('eu-central-1', 'eu-west-1') })).toEqual([
      expect.stringMatching(/^databases\[0\]\.purge\.signingKeyArn: is .*; must lie in eu-central-1, the region of/),
    ]);
  });

  test('a lock that is longer than archives are kept: refused, because they would stay behind their end', () => {
    const locked = { backupStore: { objectLock: { mode: 'governance' as const, days: 7 } } };

    expect(problemsOf({ archiveKeepDays: 7 }, locked)).toEqual([]);
    expect(problemsOf({ archiveKeepDays: 6 }, locked)).toEqual([
      'databases[0].purge.archiveKeepDays: is 6; must be at least 7, the days of backupStore.objectLock, which also locks archives of purge',
    ]);
    expect(problemsOf({}, locked)).toEqual([]);
  });

  test('the largest values: the function takes each', () => {
    expect(purgeSettings.MAX_SLOT_BYTES.parse(String(maxSlotBytes({ maxSlotGiB: 90_000 })))).toBe(90_000 * 2 ** 30);
    expect(purgeSettings.ARCHIVE_KEPT_DAYS.parse(String(archiveKeptDays({ archiveKeepDays: 3_650 })))).toBe(3_653);
    expect([maxSlotBytes({}), archiveKeptDays({})]).toEqual([undefined, undefined]);
  });
});

describe('backupsKeptDays', () => {
  const { expire, schedules } = sampleDatabase();
  const daysOf = (keep: DatabaseSettings['expire']['keep'], more: Partial<DatabaseSettings> = {}) => {
    const [database] = check({ expire: { ...expire, keep }, ...more }).databases ?? [];
    if (database === undefined) throw new Error('the config is wrong');
    return backupsKeptDays(database);
  };

  test.each([
    ['30d', 32],
    ['1y2m3d12h', 366 + 62 + 4 + 2],
    // keepAtLeast and keepUnverifiedDays are 7.
    ['1d', 9],
  ])('within %s is the one rule: at the most %i days, with the interval of backup and of expire', (within, days) => {
    expect(daysOf({ within })).toBe(days);
  });

  test.each([
    [{ monthly: 12 }, {}],
    [{ within: '30d', monthly: 12 }, {}],
    [{ within: '30d' }, { schedules: { ...schedules, expire: null } }],
    [
      { within: '30d' },
      { replica: { bucketArn: 'arn:aws:s3:::copies', keyArn: KEY.replace('eu-central-1', 'eu-west-1') } },
    ],
  ])('a rule that counts, nobody who deletes, or copies elsewhere (%j, %j): it is not known', (keep, more) => {
    expect(daysOf(keep, more)).toBeUndefined();
  });

  test('backups every 2 days, at least 20 of them: the count is the longer one', () => {
    const backup = { everyDays: 2, at: '02:00' };

    expect(
      daysOf(
        { within: '30d' },
        { expire: { ...expire, keep: { within: '30d' }, keepAtLeast: 20 }, schedules: { ...schedules, backup } },
      ),
    ).toBe(40 + 3);
  });
});
