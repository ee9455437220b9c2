import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkConfig, loadConfig } from '../../infra/load-config.ts';
import { firstSkippedDate } from '../../infra/local-time-gaps.ts';
import { config } from '../../nightshift.config.ts';
import { drillTarget } from './synthesized.ts';

const now = new Date('2026-11-22T12:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'nightshift-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sample(replaced: object = {}): Record<string, unknown> {
  return { ...structuredClone(config.databases[0]), ...replaced };
}

const expire = { keep: { within: '30d', monthly: 12 }, keepAtLeast: 7, keepUnverifiedDays: 7 };

function problemsOf(...databases: unknown[]): string[] {
  return checkConfig({ databases }, now).problems ?? [];
}

function withSchedule(replaced: object): object {
  return sample({ schedules: { ...config.databases[0]?.schedules, ...replaced } });
}

describe('checkConfig', () => {
  test('the sample as it is delivered: it has no problem and its defaults are filled in', () => {
    const { databases } = checkConfig(config, now);

    expect(databases?.[0]).toMatchObject({
      name: 'sample',
      expire: { keep: { within: '30d', monthly: 12 }, keepAtLeast: 7, keepUnverifiedDays: 7, maxDeletePercent: 50 },
      backupStore: {},
      backup: { workers: 2, copySteps: 8, snapshotHolder: 'server', timeoutSeconds: 900, memoryMiB: 2048 },
      restoreDrill: { longestHours: 12 },
      logRetentionDays: 400,
      schedules: { backup: { slackHours: 3, flexibleMinutes: 10 } },
    });
  });

  test('three mistakes in one config: three lines, each with path, actual and allowed value', () => {
    const broken = sample({
      name: 'Sample_1',
      expire: { ...expire, keep: { last: 0 } },
      server: { host: 'db.example.com', port: '5432', dbname: 'sample' },
    });

    expect(problemsOf(broken).toSorted()).toEqual([
      'databases[0].expire.keep.last: is 0; must be a whole number from 1 to 10000',
      'databases[0].name: is "Sample_1"; must be 1 to 32 lower-case letters, digits and "-", starting with a letter',
      'databases[0].server.port: is "5432"; must be a port from 1 to 65535',
    ]);
  });

  test('mistakes in two databases and between them: all are reported at once', () => {
    const first = sample({ connectionBudget: 3 });
    const second = sample({ logRetentionDays: 1000 });

    const problems = problemsOf(first, second);

    expect(problems).toHaveLength(3);
    expect(problems[0]).toMatch(/^databases\[0\]\.connectionBudget: is 3; must be at least 30, /);
    expect(problems[1]).toMatch(/^databases\[1\]\.logRetentionDays: is 1000; must be one of 30, 60, /);
    expect(problems[2]).toBe('databases[1].name: is "sample"; must differ from the name of databases[0]');
  });

  test('a mistake elsewhere in the same database: the rules that compare settings are still reported', () => {
    const problems = problemsOf(sample({ connectionBudget: 3, expire: {} }));

    // Nothing that deletes has a default.
    expect(problems.slice(0, 3)).toEqual([
      'databases[0].expire.keep: is missing; must be the rules that keep backups',
      'databases[0].expire.keepAtLeast: is missing; must be a whole number from 1 to 1000',
      'databases[0].expire.keepUnverifiedDays: is missing; must be a whole number from 1 to 3650',
    ]);
    expect(problems).toHaveLength(4);
    expect(problems[3]).toContain('connectionBudget: is 3');
  });

  test.each([
    [
      'expire',
      'databases[0].expire: is missing; must be { keep, keepAtLeast, keepUnverifiedDays }: which backups are kept',
    ],
    [
      'name',
      'databases[0].name: is missing; must be 1 to 32 lower-case letters, digits and "-", starting with a letter',
    ],
    ['server', 'databases[0].server: is missing; must be { host, port, dbname }'],
    ['adminSecretArn', 'databases[0].adminSecretArn: is missing; must be the full ARN of a Secrets Manager secret'],
    [
      'connectionBudget',
      'databases[0].connectionBudget: is missing; must be a whole number of connections from 1 to 5000',
    ],
    ['schedules', 'databases[0].schedules: is missing; must be the schedules of the jobs'],
    ['alarms', 'databases[0].alarms: is missing; must be { emails }'],
  ])('%s is left out, which deletes or chooses a target: it is refused, not guessed', (setting, line) => {
    expect(problemsOf(sample({ [setting]: undefined }))).toEqual([line]);
  });

  test.each([
    [undefined, '111122223333, the account of adminSecretArn, as replica.account is missing'],
    ['999900001111', '999900001111, replica.account'],
  ])(
    'the key of the replica is of another account than %s: it is refused, because nothing would be copied',
    (account, words) => {
      const keyArn = 'arn:aws:kms:eu-west-1:777788889999:key/11111111-2222-3333-4444-555555555555';

      expect(problemsOf(sample({ replica: { bucketArn: 'arn:aws:s3:::copies', keyArn, account } }))).toEqual([
        `databases[0].replica.keyArn: is of account 777788889999; must be of ${words}`,
      ]);
    },
  );

  test('an age is given in another unit: it is refused with the range', () => {
    expect(problemsOf(sample({ alarms: { emails: [], backupMaxAgeHours: 0.5 } }))).toEqual([
      'databases[0].alarms.backupMaxAgeHours: is 0.5; must be a whole number from 1 to 2160',
    ]);
  });

  test('a schedule that deletes is left out: it must be written, if only as null', () => {
    expect(problemsOf(withSchedule({ purge: undefined, expire: null }))).toEqual([
      'databases[0].schedules.purge: is missing; must be { everyDays, at }',
    ]);
  });

  test('a blank value: it counts as missing and is called blank', () => {
    expect(problemsOf(sample({ adminSecretArn: '  ' }))).toEqual([
      'databases[0].adminSecretArn: is blank; must be the full ARN of a Secrets Manager secret',
    ]);
  });

  test('an unknown setting: it is refused by name and its value is not shown', () => {
    const problems = problemsOf(sample({ expire: { ...expire, keepLats: 'hunter2' } }));

    expect(problems).toEqual(['databases[0].expire: has unknown "keepLats"; must have known settings only']);
  });

  test('a password in place of the ARN of a secret: the line does not repeat it', () => {
    const problems = problemsOf(sample({ adminSecretArn: 'hunter2' }));

    expect(problems).toEqual([
      'databases[0].adminSecretArn: is [not shown]; must be the full ARN of a Secrets Manager secret',
    ]);
  });

  test('the jobs together may open more connections than the budget: the line adds them up', () => {
    const greedy = sample({ connectionBudget: 20, backup: { copySteps: 18 }, health: { reservedConcurrency: 2 } });

    expect(problemsOf(greedy)).toEqual([
      'databases[0].connectionBudget: is 20; must be at least 39, which the jobs may open (backup 1 × 20, restore-drill 1 × 4, purge 1 × 2, health 2 × 1, migrate 1 × 4, bootstrap 1 × 7)',
    ]);
  });

  test.each([
    [{ workers: 16, copySteps: 1 }, 19],
    [{ workers: 1, copySteps: 8 }, 10],
    [{ workers: 1, copySteps: 8, snapshotHolder: 'relay' }, 11],
  ])('a backup with %j: at worst it opens %i connections, in one function or in many', (backup, connections) => {
    const [problem] = problemsOf(sample({ connectionBudget: 1, backup }));

    expect(problem).toContain(`(backup 1 × ${connections}, `);
  });

  test.each([
    [
      'a filter without a pattern',
      { includeTables: [] },
      'includeTables: is an empty list; must be a list of names or patterns',
    ],
    ['a blank pattern', { excludeTables: [' '] }, 'excludeTables[0]: is blank; must be a text that is not blank'],
    ['an unknown codec', { codec: 'lz4' }, 'codec: is "lz4"; must be "gzip" or "zstd"'],
    ['an unknown holder', { snapshotHolder: 'lambda' }, 'snapshotHolder: is "lambda"; must be "server" or "relay"'],
    ['a limit on steps that run beside each other', { reservedConcurrency: 2 }, 'has unknown "reservedConcurrency"'],
  ])('%s in backup: it is refused', (_, backup, problem) => {
    const problems = problemsOf(sample({ backup }));

    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  test('a number that a function would refuse at night: it is refused at synth, with the range of that function', () => {
    expect(problemsOf(sample({ health: { lockTimeoutMs: 60_000 }, purge: { lockTimeoutMs: 60_000 } }))).toEqual([
      'databases[0].health.lockTimeoutMs: is 60000; must be a whole number from 10 to 5000',
    ]);
  });

  const { instanceId: _instanceId, ...target } = drillTarget;

  test.each([
    ['Orders-1', 'is "Orders-1"'],
    ['orders--1', 'is "orders--1"'],
    ['orders-', 'is "orders-"'],
    ['o'.repeat(64), 'is "ooo'],
    [' ', 'is blank'],
  ])('the identifier of an instance is %j, which CloudWatch would not know: refused', (instanceId, actual) => {
    const server = { ...config.databases[0]?.server, instanceId };
    const problems = problemsOf(sample({ server, restoreDrill: { target: { ...target, instanceId } } }));

    expect(problems).toHaveLength(2);
    for (const [index, path] of ['server', 'restoreDrill.target'].entries()) {
      expect(problems[index]).toContain(`databases[0].${path}.instanceId: ${actual}`);
      expect(problems[index]).toContain('must be 1 to 63 lower-case letters, digits and single "-"');
    }
  });

  test('a drill target and how often an older backup is drilled: taken as written, 7 days by default', () => {
    const restoreDrill = { olderEveryDays: 30, target: { ...target, instanceId: 'drill-1' } };

    expect(checkConfig({ databases: [sample({ restoreDrill })] }, now).databases?.[0]?.restoreDrill).toMatchObject(
      restoreDrill,
    );
    expect(checkConfig(config, now).databases?.[0]?.restoreDrill).toMatchObject({ olderEveryDays: 7 });
  });

  test.each([0, 367, 1.5])('an older backup every %s days: refused with the range', (olderEveryDays) => {
    expect(problemsOf(sample({ restoreDrill: { olderEveryDays } }))).toEqual([
      `databases[0].restoreDrill.olderEveryDays: is ${olderEveryDays}; must be a whole number from 1 to 366`,
    ]);
  });

  test('a drill target that lacks what chooses it: each is named', () => {
    expect(problemsOf(sample({ restoreDrill: { target: { host: 'drill.example.com' } } }))).toEqual([
      'databases[0].restoreDrill.target.port: is missing; must be a port from 1 to 65535',
      'databases[0].restoreDrill.target.secretArn: is missing; must be the full ARN of a Secrets Manager secret',
      'databases[0].restoreDrill.target.securityGroupId: is missing; must be the id of the security group of that server',
    ]);
  });

  test('a drill target that is the server that is backed up, with its administrator: refused', () => {
    const { server, adminSecretArn: secretArn = '' } = config.databases[0] ?? {};
    const host = server?.host.toUpperCase() ?? '';

    expect(problemsOf(sample({ restoreDrill: { target: { ...target, host, secretArn } } }))).toEqual([
      `databases[0].restoreDrill.target.host: is "${host}"; must differ from server.host: to drill on that server, leave the target out`,
      `databases[0].restoreDrill.target.secretArn: is "${secretArn}"; must differ from adminSecretArn, which only bootstrap may read`,
    ]);
  });

  test('the secret of a drill target in another region, where the function would not find it: refused', () => {
    const secretArn = target.secretArn.replace('eu-central-1', 'eu-west-1');

    expect(problemsOf(sample({ restoreDrill: { target: { ...target, secretArn } } }))).toEqual([
      `databases[0].restoreDrill.target.secretArn: is "${secretArn}"; must lie in eu-central-1, the region of adminSecretArn`,
    ]);
  });

  test('a schedule of health less: the budget counts one run of health less', () => {
    expect(problemsOf({ ...withSchedule({ healthMinute: null }), connectionBudget: 29 })).toEqual([]);
    expect(problemsOf({ ...withSchedule({}), connectionBudget: 29 })).toHaveLength(1);
  });

  test('a backup at an hour that the clock change skips: it is refused with the date', () => {
    expect(problemsOf(withSchedule({ timeZone: 'Europe/Berlin' }))).toEqual([
      'databases[0].schedules.backup.at: is "02:00"; must be a time that exists every day, and on 2027-03-28 clocks in Europe/Berlin skip it, so the run would be left out',
    ]);
  });

  test.each([
    [{}, 'keep: is an object; must have at least one rule: an empty policy keeps nothing'],
    [{ within: '4w' }, 'keep.within: is "4w"; must be a duration as "30d" or "1y6m7d12h": years, months, days, hours'],
    [{ within: '0d' }, 'keep.within: is "0d"; must be a duration as "30d" or "1y6m7d12h": years, months, days, hours'],
    [
      { within: '1d,last=1' },
      'keep.within: is "1d,last=1"; must be a duration as "30d" or "1y6m7d12h": years, months, days, hours',
    ],
    [{ monthly: 12.5 }, 'keep.monthly: is 12.5; must be a whole number from 1 to 10000'],
    [{ last: 1, quarterly: 4 }, 'keep: has unknown "quarterly"; must have known settings only'],
  ])('a policy that is none (%j): one line says so', (keep, line) => {
    expect(problemsOf(sample({ expire: { ...expire, keep } }))).toEqual([`databases[0].expire.${line}`]);
  });

  test.each([
    [{ within: '30d', monthly: 12 }, 30, 30, undefined],
    [{ within: '30d', monthly: 12 }, 31, 30, 'expire.keep.within'],
    [{ within: '2m', daily: 7 }, 57, 56, 'expire.keep.within'],
    [{ within: '1d', last: 10 }, 11, 10, 'expire.keep.last'],
    [{ hourly: 5 }, 6, 5, 'expire.keep.hourly'],
    // The newest of a month is not every backup: one of the middle of the month goes the next day.
    [{ monthly: 12 }, 2, 1, 'schedules.backup.everyDays'],
    [{ within: '1y' }, 101, 100, 'expire.keepUnverifiedDays'],
  ])('policy %j and a lock of %i days: at most %i, by %s', (keep, days, most, because) => {
    const problems = problemsOf(
      sample({
        expire: { ...expire, keep, keepUnverifiedDays: 100 },
        backupStore: { objectLock: { mode: 'compliance', days } },
      }),
    );

    expect(problems).toEqual(
      because === undefined
        ? []
        : [
            `databases[0].backupStore.objectLock.days: is ${days}; must be at most ${most}, which is the shortest time that expire keeps a backup (${because}), or expired backups could not be deleted`,
          ],
    );
  });

  test('an object lock that S3 does not know: refused', () => {
    expect(problemsOf(sample({ backupStore: { objectLock: { mode: 'soft', days: 0 } } }))).toEqual([
      'databases[0].backupStore.objectLock.mode: is "soft"; must be "governance" or "compliance"',
      'databases[0].backupStore.objectLock.days: is 0; must be a whole number of days from 1 to 36500',
    ]);
  });

  test.each(['Mars/Olympus', '+02:00', ''])(
    'a time zone that EventBridge does not know (%j): it is refused',
    (timeZone) => {
      expect(problemsOf(withSchedule({ timeZone }))).toEqual([
        `databases[0].schedules.timeZone: is ${timeZone === '' ? 'blank' : `"${timeZone}"`}; must be an IANA time zone, e.g. "Etc/UTC"`,
      ]);
    },
  );

  test('an interval that CloudWatch cannot look back over: it is refused', () => {
    expect(problemsOf(withSchedule({ restoreDrill: { everyDays: 7, at: '05:00' } }))).toEqual([
      'databases[0].schedules.restoreDrill.everyDays: is 7; must be a whole number of days from 1 to 6',
    ]);
  });

  test('subnets and zones that do not fit each other or the region: both are reported', () => {
    const vpc = {
      ...config.databases[0]?.vpc,
      availabilityZones: ['eu-west-1a'],
    };

    expect(problemsOf(sample({ vpc }))).toEqual([
      'databases[0].vpc.privateSubnetIds: is a list of 2; must have one subnet for each of the 1 availability zones',
      'databases[0].vpc.availabilityZones[0]: is "eu-west-1a"; must lie in eu-central-1, the region of adminSecretArn',
    ]);
  });

  test.each([
    [{ databases: [] }, 'databases: is an empty list; must name at least one database'],
    [{}, 'databases: is missing; must be a list of databases'],
    ['nothing', 'config: is "nothing"; must be { databases: [...] }'],
    [{ databases: ['orders'] }, 'databases[0]: is "orders"; must be an object with the settings of one database'],
  ])('a config that names no database (%j): one line says so', (raw, line) => {
    expect(checkConfig(raw, now).problems).toEqual([line]);
  });
});

describe('loadConfig', () => {
  test('a JSON file: it is read like the TypeScript file', async () => {
    const path = join(folder, 'config.json');
    writeFileSync(path, JSON.stringify(config));

    expect(await loadConfig(path, now)).toEqual(checkConfig(config, now));
  });

  test('a TypeScript file: its export named config is read', async () => {
    const path = join(folder, 'config.ts');
    writeFileSync(
      path,
      `interface Any { databases: unknown[] }\nexport const config: Any = ${JSON.stringify(config)};`,
    );

    expect((await loadConfig(path, now)).databases?.map(({ name }) => name)).toEqual(['sample']);
  });

  test.each([
    ['missing.json', undefined, 'ENOENT'],
    ['broken.json', '{', 'is not readable'],
    ['empty.ts', 'export const databases = [];', 'it exports no config'],
  ])('a file that cannot be used (%s): one line names the file and the reason', async (name, content, reason) => {
    const path = join(folder, name);
    if (content !== undefined) writeFileSync(path, content);

    const { problems } = await loadConfig(path, now);

    expect(problems).toHaveLength(1);
    expect(problems?.[0]).toContain(path);
    expect(problems?.[0]).toContain(reason);
  });
});

describe('firstSkippedDate', () => {
  test.each([
    ['02:00', 'Europe/Berlin', '2027-03-28'],
    ['02:59', 'Europe/Berlin', '2027-03-28'],
    ['03:00', 'Europe/Berlin', undefined],
    ['01:59', 'Europe/Berlin', undefined],
    ['02:30', 'America/New_York', '2027-03-14'],
    ['02:15', 'Australia/Lord_Howe', '2027-10-03'],
    ['02:30', 'Etc/UTC', undefined],
    ['02:30', 'Asia/Tokyo', undefined],
    ['00:30', 'Africa/Cairo', '2027-04-30'],
  ])('%s in %s: the first date on which it does not exist is %s', (at, timeZone, date) => {
    expect(firstSkippedDate(at, timeZone, now)).toBe(date);
  });
});
