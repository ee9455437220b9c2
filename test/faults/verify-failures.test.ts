import { existsSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { readVerifications, type Verification } from '../../functions/shared/verification.ts';
import { change, flip } from '../support/damage-archive.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { makeArchive, type StoredArchive, storeArchive } from '../support/stored-archive.ts';
import { clientsWith, listing, type VerifyOptions, verify } from '../support/verify-job.ts';

let aws: LocalAws;
let options: VerifyOptions;
const fakes: string[] = [];
let backups = 0;

beforeAll(async () => {
  aws = await startLocalAws();
  options = { database: 'orders', clients: inject('cluster').clientDirectory };
});

afterEach(() => aws.setFault(undefined));

afterAll(async () => {
  for (const folder of fakes) rmSync(folder, { recursive: true, force: true });
  await aws.stop();
});

function nextArchive(): StoredArchive {
  backups += 1;
  const backupId = `20261122T02${String(backups).padStart(4, '0')}Z`;
  return makeArchive({ database: 'orders', backupId, codec: 'gzip', seed: 1 });
}

async function evidenceOf({ manifest }: StoredArchive): Promise<Verification[]> {
  return await readVerifications(createObjectStore(BUCKET), 'orders', manifest.backupId);
}

describe('when S3 or a program fails', () => {
  test('S3 answers 503 to every read of one range: the run fails, no evidence says anything', async () => {
    const archive = nextArchive();
    await storeArchive(createObjectStore(BUCKET), archive);
    aws.setFault(({ operation, key: of }) =>
      operation === 'GetObject' && of.endsWith('/101.dat.gz') ? { status: 503, code: 'ServiceUnavailable' } : undefined,
    );

    await expect(verify(options, { backupId: archive.manifest.backupId })).rejects.toMatchObject({
      code: 'object_store.failed',
    });

    expect(await evidenceOf(archive)).toEqual([]);
  });

  test('S3 breaks connections and answers 503 now and then: ok all the same', async () => {
    const archive = nextArchive();
    await storeArchive(createObjectStore(BUCKET), archive);
    let requests = 0;
    aws.setFault(({ operation }) => {
      if (operation !== 'GetObject') return undefined;
      requests += 1;
      if (requests % 7 === 0) return 'drop';
      return requests % 5 === 0 ? { status: 503, code: 'ServiceUnavailable' } : undefined;
    });

    const result = await verify(options, { backupId: archive.manifest.backupId });

    expect(result.outcome).toBe('ok');
    expect(requests).toBeGreaterThan(20);
  });

  test('pg_restore is killed: the run fails, no evidence says anything, no temporary directory is left', async () => {
    const archive = nextArchive();
    await storeArchive(createObjectStore(BUCKET), archive);
    const clients = clientsWith('kill -9 $$');
    fakes.push(clients);

    await expect(verify({ ...options, clients }, { backupId: archive.manifest.backupId })).rejects.toMatchObject({
      code: 'client_tools.failed',
    });

    expect(await evidenceOf(archive)).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`nightshift-verify-${process.pid}-`))).toEqual([]);
  });

  test('no pg_restore of the major is installed: the run fails before anything is said', async () => {
    const archive = nextArchive();
    await storeArchive(createObjectStore(BUCKET), archive);
    const clients = clientsWith('exit 0', '14.2');
    fakes.push(clients);

    await expect(verify({ ...options, clients }, { backupId: archive.manifest.backupId })).rejects.toMatchObject({
      code: 'client_tools.not_found',
    });

    expect(await evidenceOf(archive)).toEqual([]);
  });

  test('the time limit comes while a range is read: fails with that reason, no evidence', async () => {
    const archive = nextArchive();
    await storeArchive(createObjectStore(BUCKET), archive);
    const limit = new AbortController();
    const reason = new JobFailure({ code: 'job.out_of_time', problem: 'p', safeState: 's', hint: 'h' });
    aws.setFault(({ operation, key: of }) => {
      if (operation !== 'GetObject' || !of.endsWith('/100.dat.gz')) return undefined;
      setTimeout(() => limit.abort(reason), 20);
      return 'hang';
    });

    const event = { backupId: archive.manifest.backupId };
    await expect(verify({ ...options, context: { signal: limit.signal } }, event)).rejects.toBe(reason);

    expect(await evidenceOf(archive)).toEqual([]);
  });

  test('the backup is expired while it is read: no damage is told and no evidence stored', async () => {
    const archive = nextArchive();
    await storeArchive(createObjectStore(BUCKET), archive);
    const store = createObjectStore(BUCKET);
    const keys = backupKeys('orders', archive.manifest.backupId);
    const deleteAll = async () => {
      for (const prefix of [keys.manifest, keys.archive]) {
        const versions = [];
        for await (const version of store.listVersions(prefix)) versions.push(version);
        await store.deleteVersions(versions);
      }
    };
    const clients = clientsWith(`sleep 1; ${listing(12, 5)}`);
    fakes.push(clients);

    const run = verify({ ...options, clients }, { backupId: archive.manifest.backupId });
    setTimeout(() => void deleteAll(), 400);

    await expect(run).rejects.toMatchObject({ code: 'verify.no_backup' });
    expect(existsSync(`${aws.bucketFolder}/${keys.verifiedPrefix}`)).toBe(false);
  });

  test('a dry run: everything is read and damage is told, but no evidence is stored', async () => {
    const sound = nextArchive();
    const broken = nextArchive();
    change(broken, 'blob_9.dat.gz', flip(14));
    for (const archive of [sound, broken]) await storeArchive(createObjectStore(BUCKET), archive);

    const result = await verify(options, { backupId: sound.manifest.backupId, dryRun: true });
    const failure = verify(options, { backupId: broken.manifest.backupId, dryRun: true });

    expect(result).toMatchObject({ outcome: 'ok', evidence: null });
    await expect(failure).rejects.toMatchObject({ code: 'verify.damaged' });
    expect([...(await evidenceOf(sound)), ...(await evidenceOf(broken))]).toEqual([]);
  });
});
