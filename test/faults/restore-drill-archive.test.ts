// The archive on its way from S3 to pg_restore: whatever is damaged, missing or does not come is never a success, and only
// what is known about the backup becomes evidence.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { fetchedFolders, type StoredBackup, storedBackup, tableOf } from '../support/changed-backup.ts';
import { createDrillRole, type DrillRole } from '../support/drill-role.ts';
import { recordedContext } from '../support/job-context.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { rounds } from '../support/test-size.ts';

let aws: LocalAws;
let source: BackupSource;
let drill: DrillRole;
let backup: StoredBackup;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 20_000);
  drill = await createDrillRole(aws, source);
  await source.fresh.query(
    "select lo_from_bytea(50000 + n, decode(md5(n::text), 'hex')) from generate_series(1, 20) n",
  );
  backup = storedBackup(aws, (await source.backUp()).backupId);
});

afterEach(async () => {
  aws.setFault(undefined);
  expect(await drill.scratchDatabases()).toEqual([]);
  expect(fetchedFolders(process.pid)).toEqual([]);
});

afterAll(async () => {
  await drill.drop();
  await source.drop();
  await aws.stop();
});

describe('fetchArchive', () => {
  test.each(Array.from({ length: rounds }, (_, round) => round))(
    'one byte of an object of the archive is changed (round %i): the file and the place are named, nothing is restored',
    async (round) => {
      const { objects, tables } = backup.readManifest();
      const files = objects.filter(({ key }) => key.startsWith(backup.keys.archive));
      const { key } = files[(round * 37) % files.length] ?? { key: '' };
      const covered = tables.find((table) => table.key === key)?.ranges.at(-1);
      const context = recordedContext();
      await backup.withObject(
        key,
        (bytes) => {
          const end = covered ? covered.offset + covered.length : bytes.length;
          const at = Math.floor((end * (round + 0.5)) / rounds);
          bytes[at] = (bytes[at] ?? 0) ^ 0x10;
          return bytes;
        },
        async () => {
          const failure = await drill.drill(context).catch((error: unknown) => error);
          expect(failure).toMatchObject({ code: 'drill.archive_damaged' });
          expect(String(failure)).toMatch(
            new RegExp(`1 difference: archive file "${key.split('/').at(-1)}", bytes \\d+ to \\d+: manifest SHA-256`),
          );
        },
      );

      const evidence = backup.readEvidence(context.runId);
      expect(evidence).toMatchObject({ outcome: 'damaged', differences: [{ actual: 'another' }] });
    },
  );

  test('an object has another size and another is not there: both are named with their sizes', async () => {
    const { key } = tableOf(backup.readManifest(), 'readings');
    await backup.withManifest(
      (manifest) => {
        const lost = backup.keys.archiveFile('blob_1.dat.gz');
        manifest.objects.push({ key: lost, bytes: 30, etag: '', sha256: '0'.repeat(64) });
        for (const object of manifest.objects) if (object.key === key) object.bytes *= 2;
      },
      async () => {
        await expect(drill.drill()).rejects.toThrow(
          /2 differences: archive file "\d+\.dat\.gz": manifest \d+ bytes, stored \d+ bytes; archive file "blob_1\.dat\.gz": manifest 30 bytes, stored no such object/,
        );
      },
    );
  });

  test('the archive does not fit into the temporary directory: refused with both sizes before anything is fetched', async () => {
    const fetched: string[] = [];
    aws.setFault(({ operation, key }) => {
      if (operation === 'GetObject' && key?.includes('/archive/')) fetched.push(key);
      return undefined;
    });
    await backup.withManifest(
      (manifest) => {
        for (const object of manifest.objects) if (object.key.endsWith('toc.dat')) object.bytes = 2 ** 50;
      },
      async () => {
        await expect(drill.drill()).rejects.toThrow(
          /the archive of backup \w+ needs 1,073,741,8\d\d MiB in ".*" but [\d,]+ MiB are free there.*ephemeralStorageMiB/,
        );
      },
    );

    expect(fetched).toEqual([]);
  });

  test('S3 answers 503 while the archive is fetched: the drill fails, and nothing is said about the backup', async () => {
    const context = recordedContext();
    aws.setFault(({ operation, key }) =>
      operation === 'GetObject' && key?.includes('/archive/blob') ? { status: 503, code: 'SlowDown' } : undefined,
    );

    await expect(drill.drill(context)).rejects.toMatchObject({ code: 'object_store.failed' });

    expect(backup.readEvidence(context.runId)).toBeUndefined();
  });

  test.each([
    [2, 'the third try is whole: the drill is ok'],
    [99, 'the drill fails, and nothing is said about the backup'],
  ])('the body of every object breaks off midway %i times; %s', async (breaks) => {
    const store = createObjectStore(BUCKET);
    const broken = new Map<string, number>();
    const context = recordedContext({
      store: {
        ...store,
        getStream: async (key) => {
          const before = broken.get(key) ?? 0;
          broken.set(key, before + 1);
          const whole = await store.getStream(key);
          if (before >= breaks) return whole;
          const halved = async function* (): AsyncGenerator<Buffer> {
            for await (const chunk of whole) {
              if (Buffer.isBuffer(chunk)) yield chunk.subarray(0, chunk.length / 2);
              throw new Error('aborted');
            }
          };
          return Readable.from(halved());
        },
      },
    });

    const end = await drill.drill(context).catch((error: unknown) => error);

    expect(end).toMatchObject(breaks === 2 ? { outcome: 'ok' } : { code: 'object_store.failed' });
    expect(String(end)).toMatch(breaks === 2 ? /object/ : /broke off 3 times: aborted/);
    expect(backup.readEvidence(context.runId)?.['outcome']).toBe(breaks === 2 ? 'ok' : undefined);
  });

  test('the manifest names a file outside the folder: refused, nothing is written', async () => {
    await backup.withManifest(
      (manifest) => {
        for (const object of manifest.objects)
          object.key = object.key.replace('archive/toc.dat', 'archive/../../toc.dat');
      },
      async () => {
        await expect(drill.drill()).rejects.toThrow(/"\.\.\/\.\.\/toc\.dat" is no file name of a directory archive/);
      },
    );
  });

  test('a killed drill has left its files: the next one removes them, but not those of a process that lives', async () => {
    const dead = join(tmpdir(), `nightshift-drill-4194305-${'a'.repeat(6)}`);
    const living = join(tmpdir(), `nightshift-drill-${process.ppid}-${'a'.repeat(6)}`);
    for (const folder of [dead, living]) {
      mkdirSync(folder);
      writeFileSync(join(folder, 'toc.dat'), 'x');
    }

    await drill.drill();

    expect([existsSync(dead), existsSync(living)]).toEqual([false, true]);
    rmSync(living, { recursive: true });
  });
});
