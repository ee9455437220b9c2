// Free storage before a drill: enough, short, and every way of not knowing it. What CloudWatch says comes from the stand-in.
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LOOKED_AND_KILLED } from '../../functions/restore-drill/check-storage.ts';
import type { DrillPlanResult, DrillState, DrillWorkResult } from '../../functions/restore-drill/contract.ts';
import { PassOver } from '../../functions/restore-drill/pass-time.ts';
import { type RestoreDrillJob, runRestoreDrill } from '../../functions/restore-drill/run-restore-drill.ts';
import { type DrillFinding, drillRecordSchema } from '../../functions/shared/drill-record.ts';
import { type CloudWatchSettings, startCloudWatchServer } from '../../local/cloudwatch-server.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { type StoredBackup, storedBackup } from '../support/changed-backup.ts';
import { createDrillRole, type DrillRole } from '../support/drill-role.ts';
import { recordedContext } from '../support/job-context.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { verify } from '../support/verify-job.ts';

let aws: LocalAws;
let source: BackupSource;
let drill: DrillRole;
let backupId: string;
let backup: StoredBackup;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 1_000);
  drill = await createDrillRole(aws, source);
  backupId = (await source.backUp()).backupId;
  backup = storedBackup(aws, backupId);
  await verify({ database: 'shop', clients: source.clients }, { backupId });
});

afterEach(async () => {
  source.restorePrograms();
  expect(await drill.scratchDatabases()).toEqual([]);
});

afterAll(async () => {
  await drill.drop();
  await source.drop();
  await aws.stop();
});

/** CloudWatch that knows one figure of instance shop-1, or does something else. */
async function startCloudWatch(freeBytes: number | undefined, fault?: CloudWatchSettings['fault']) {
  const metric = 'AWS/RDS FreeStorageSpace DBInstanceIdentifier=shop-1';
  const samples = freeBytes === undefined ? [] : [{ metric, at: new Date(Date.now() - 60_000), value: freeBytes }];
  const server = await startCloudWatchServer({ samples, ...(fault === undefined ? {} : { fault }) });
  process.env['AWS_ENDPOINT_URL_CLOUDWATCH'] = server.endpoint;
  onTestFinished(async () => {
    delete process.env['AWS_ENDPOINT_URL_CLOUDWATCH'];
    await server.stop();
  });
  return server;
}

/** Beside it there may be roles of other test files that came and went on the same server. */
function ofStorage(findings: readonly DrillFinding[] = []): DrillFinding[] {
  return findings.filter(({ what }) => what === 'free storage');
}

/** A drill of the instance shop-1. */
async function drillOfInstance(context = recordedContext()) {
  const settings = { ...drill.settings, DATABASE_INSTANCE_ID: 'shop-1' };
  const outcome = await drill.drill({ ...context, settings }, { backupId }).then(
    ({ drills }) => ({ findings: ofStorage(drills[0]?.findings), failure: undefined }),
    (failure: unknown) => ({ findings: undefined, failure }),
  );
  return { ...outcome, context };
}

async function sourceBytes(): Promise<number> {
  const { rows } = await source.fresh.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  return Number(rows[0]?.bytes);
}

describe('free storage of the instance', () => {
  test('there is more than twice the database: the drill is ok and has nothing to say about storage', async () => {
    await startCloudWatch(3 * (await sourceBytes()));

    const { findings, context } = await drillOfInstance();

    expect(findings).toEqual([]);
    const checked = context.events.find(({ event }) => event === 'restore_drill.storage_checked');
    expect(checked?.fields['needed_bytes']).toBeGreaterThan(0);
  });

  test('there is one byte less than twice the database: refused with both figures, no database and no evidence', async () => {
    const bytes = await sourceBytes();
    await startCloudWatch(2 * bytes - 1);

    const { failure, context } = await drillOfInstance();

    expect(failure).toMatchObject({ code: 'drill.storage_short' });
    expect(String(failure)).toContain(`instance "shop-1" has ${2 * bytes - 1} bytes of free storage`);
    expect(String(failure)).toContain(`needs ${2 * bytes}: 2 × ${bytes}, the size of the database that is backed up`);
    expect(backup.readEvidence(context.runId)).toBeUndefined();
    expect(context.put).toEqual({});
  });

  test('the role may not connect to the source: its size is estimated from the backup', async () => {
    const { name } = source.fresh;
    await source.fresh.query(`revoke connect on database "${name}" from public`);
    onTestFinished(async () => {
      await source.fresh.query(`grant connect on database "${name}" to public`);
    });
    await startCloudWatch(1);

    const { failure } = await drillOfInstance();

    expect(String(failure)).toMatch(/needs \d+: 2 × \d+, the rows and large objects of the backup, without indexes/);
  });

  test.each([
    [
      'CloudWatch has no figure',
      undefined,
      undefined,
      /^not known: CloudWatch has no FreeStorageSpace of instance "shop-1"/,
    ],
    [
      'the role of the function may not ask',
      1,
      () => ({ status: 403, code: 'AccessDenied' }),
      /^not known: CloudWatch did not tell it of instance "shop-1": AccessDenied/,
    ],
    ['CloudWatch does not answer', 1, () => 'silence' as const, /"shop-1": TimeoutError/],
  ])('%s: the drill goes on, and its record says so', async (_, freeBytes, fault, problem) => {
    await startCloudWatch(freeBytes, fault);

    const { findings, context } = await drillOfInstance();

    const finding = { what: 'free storage', problem: expect.stringMatching(problem) };
    expect(findings).toEqual([finding]);
    expect(backup.readEvidence(context.runId)).toMatchObject({
      outcome: 'ok',
      findings: expect.arrayContaining([finding]),
    });
    expect(context.events.map(({ event }) => event)).toContain('restore_drill.storage_unknown');
  });

  test('no instance is configured: the record names the setting', async () => {
    const { drills } = await drill.drill({}, { backupId });

    expect(ofStorage(drills[0]?.findings)).toEqual([
      { what: 'free storage', problem: expect.stringContaining('DATABASE_INSTANCE_ID is not set') },
    ]);
  });

  test('the server is Aurora: CloudWatch is not asked, and the record says why', async () => {
    const { host, port } = source.fresh.credentials();
    const { role, password, settings } = drill;
    const secret = (dbname: string) => JSON.stringify({ host, port, dbname, username: role, password });
    await source.fresh.query('create function public.aurora_version() returns text language sql return null');
    aws.secrets.setSecret(settings.DATABASE_SECRET_ARN, secret(source.fresh.name));
    onTestFinished(async () => {
      aws.secrets.setSecret(settings.DATABASE_SECRET_ARN, secret('postgres'));
      await source.fresh.query('drop function public.aurora_version()');
    });
    const cloudWatch = await startCloudWatch(1);

    const { findings } = await drillOfInstance();

    expect(findings).toEqual([
      { what: 'free storage', problem: 'not looked at: the storage of Aurora grows by itself' },
    ]);
    expect(cloudWatch.requests()).toBe(0);
  });
});

describe('the passes of a drill', () => {
  const settings = () => ({ ...drill.settings, DATABASE_INSTANCE_ID: 'shop-1' });
  const planned = async (executionId: string) => {
    const event = { step: 'plan', executionId, backupId } as const;
    const { drills } = (await runRestoreDrill(drill.job({ settings: settings() }, event))) as DrillPlanResult;
    const [first] = drills;
    if (first === undefined) throw new Error('nothing is planned');
    return first;
  };
  const work = async (state: DrillState, more: Partial<RestoreDrillJob> = {}) =>
    (await runRestoreDrill(
      drill.job({ settings: settings(), ...more }, { step: 'work', drill: state }),
    )) as DrillWorkResult;
  /** What the record of a drill that ended well says of storage. */
  const storageOf = (drillId: string) => {
    const record = drillRecordSchema.parse(backup.readEvidence(drillId));
    expect(record.outcome).toBe('ok');
    return ofStorage(record.findings);
  };
  /** A pass that ends for that reason as soon as it restores, when the scratch database has just been made. */
  const passUntilRestore = async (state: DrillState, reason: Error) => {
    const context = recordedContext();
    const over = new AbortController();
    const info: typeof context.log.info = (event, fields) => {
      context.log.info(event, fields);
      if (/^restore_drill\.\w+_begun$/.test(event)) over.abort(reason);
    };
    return await work(state, { ...context, log: { ...context.log, info }, signal: over.signal });
  };

  test('a second pass: it does not ask again, for the scratch database has taken its part', async () => {
    const cloudWatch = await startCloudWatch(3 * (await sourceBytes()));
    const pass = await passUntilRestore(
      await planned('arn:aws:states:eu:1:execution:drill:asked-once'),
      new PassOver(),
    );
    expect(pass.done).toBe(false);

    const { done } = await work(pass.drill);

    expect(done).toBe(true);
    expect(cloudWatch.requests()).toBe(1);
    expect(storageOf('asked-once')).toEqual([]);
  });

  test('the pass that made the scratch database ended before it could tell: the record says so', async () => {
    await startCloudWatch(3 * (await sourceBytes()));
    const first = await planned('arn:aws:states:eu:1:execution:drill:killed-after-look');
    await expect(passUntilRestore(first, new Error('killed'))).rejects.toThrow(/killed/);
    expect(await drill.scratchDatabases()).toEqual([first.scratch]);

    // Its answer is lost: the workflow starts the step again with what it had.
    await work(first);

    expect(storageOf('killed-after-look')).toEqual([LOOKED_AND_KILLED]);
  });

  test('a target of its own has an instance id, and nothing else: refused by name', async () => {
    const broken = { ...drill.settings, DRILL_TARGET_INSTANCE_ID: 'drill-1' };

    await expect(drill.drill({ settings: broken }, { backupId })).rejects.toThrow(
      /DRILL_TARGET_HOST and DRILL_TARGET_PORT and DRILL_TARGET_SECRET_ARN are not set/,
    );
  });
});
