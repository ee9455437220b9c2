import { describe, expect, test } from 'vitest';
import { purgeSettings } from '../../functions/purge/environment.ts';
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
