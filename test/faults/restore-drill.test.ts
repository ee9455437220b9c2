import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { fetchedFolders, type StoredBackup, sha256, storedBackup, tableOf } from '../support/changed-backup.ts';
import { createDrillRole, type DrillRole } from '../support/drill-role.ts';
import { recordedContext } from '../support/job-context.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { waitForRow } from '../support/what-is-left.ts';

let aws: LocalAws;
let source: BackupSource;
let drill: DrillRole;
let backupId: string;
let backup: StoredBackup;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 100_000);
  drill = await createDrillRole(aws, source);
  // Forced row level security, a lone sequence and an odd name: what a compare could stumble over.
  await source.fresh.query('create table app."Odd ""Name""" (id int primary key, owner_id int)');
  await source.fresh.query('insert into app."Odd ""Name""" select n, n from generate_series(1, 10) n');
  await source.fresh.query('alter table app."Odd ""Name""" enable row level security, force row level security');
  await source.fresh.query('create policy none on app."Odd ""Name""" using (owner_id = 1)');
  await source.fresh.query("create sequence app.lone; select setval('app.lone', 41)");
  // Large objects: small, empty, sparse, and one that is larger than what the server hashes at once.
  await source.fresh.query(
    "select lo_from_bytea(50000 + n, decode(md5(n::text), 'hex')) from generate_series(1, 130) n",
  );
  await source.fresh.query('select lo_create(60001), lo_create(60002)');
  await source.fresh.query("select lo_put(60002, 9000000, 'the end')");
  await source.fresh.query("select lo_from_bytea(3000000000, decode(repeat('00ff', 1500000), 'hex'))");
  backupId = (await source.backUp()).backupId;
  backup = storedBackup(aws, backupId);
});

afterEach(async () => {
  source.restorePrograms();
  aws.setFault(undefined);
  expect(await drill.scratchDatabases()).toEqual([]);
  expect(fetchedFolders(process.pid)).toEqual([]);
});

afterAll(async () => {
  await drill.drop();
  await source.drop();
  await aws.stop();
});

describe('runRestoreDrill', () => {
  test('the backup is whole: every table and sequence is equal, the evidence is stored, the scratch database is gone', async () => {
    const context = recordedContext();

    const result = await drill.drill(context);

    expect(result).toMatchObject({
      outcome: 'ok',
      backupId,
      tables: 3,
      rows: 101_010,
      sequences: 2,
      largeObjects: 133,
    });
    const evidence = JSON.parse(readFileSync(backup.pathOf(result.evidence), 'utf8'));
    expect(evidence).toMatchObject({ outcome: 'ok', backupId, differences: [], problem: null });
    expect(context.put.RtoSeconds).toBeGreaterThan(0);
  });

  test('a table has one row less than the manifest says: the drill fails, names the table and keeps the evidence', async () => {
    const context = recordedContext();

    await backup.withManifest(
      (manifest) => {
        tableOf(manifest, 'notes').rows += 1;
      },
      async () => {
        await expect(drill.drill(context)).rejects.toThrow(
          /does not restore to what its manifest says; 1 difference: table "app"\."notes": manifest 1001 rows, restored 1000 rows/,
        );
      },
    );

    const evidence = backup.readEvidence(context.runId);
    expect(evidence?.['outcome']).toBe('different');
  });

  test('a sequence differs, a table is missing and one is too many: all three are named', async () => {
    await backup.withManifest(
      (manifest) => {
        for (const sequence of manifest.sequences) if (sequence.name === 'lone') sequence.lastValue = '42';
        tableOf(manifest, 'notes').name = 'gone';
      },
      async () => {
        await expect(drill.drill()).rejects.toThrow(
          /3 differences: sequence "app"\."lone": manifest 42, restored 41; table "app"\."notes": .*; table "app"\."gone": manifest 1000 rows, restored no such table/,
        );
      },
    );
  });

  test('the rows of a table were left out by a filter: an empty table is no difference, one with rows is', async () => {
    await backup.withManifest(
      (manifest) => {
        // The file stays, so that there is something to restore: here it must be checked as a whole.
        const { key } = tableOf(manifest, 'notes');
        for (const object of manifest.objects) {
          if (object.key === key) object.sha256 = sha256(readFileSync(backup.pathOf(key)));
        }
        manifest.tables = manifest.tables.filter(({ name }) => name !== 'notes');
        manifest.excluded = ['rows of table "app"."notes"'];
      },
      async () => {
        await expect(drill.drill()).rejects.toThrow(
          /1 difference: table "app"\."notes": manifest 0 rows, restored 1000 rows/,
        );
      },
    );
  });

  test.each([
    ['number', (large: BackupManifest['largeObjects']) => ({ ...large, count: large.count - 1 })],
    ['digest', (large: BackupManifest['largeObjects']) => ({ ...large, sha256: large.sha256.replace(/^./, 'x') })],
  ])('the %s of the large objects differs: the drill fails with both', async (_, change) => {
    await backup.withManifest(
      (manifest) => {
        const large = change(manifest.largeObjects);
        manifest.largeObjects = {
          ...large,
          sha256: large.sha256.replace('x', large.sha256.startsWith('x0') ? '1' : '0'),
        };
      },
      async () => {
        await expect(drill.drill()).rejects.toThrow(
          /1 difference: large objects: manifest 13[23] of \d+ bytes, SHA-256 [0-9a-f]{64}, restored 133 of \d+ bytes/,
        );
      },
    );
  });

  test('the content of a large object is changed in the archive, and its checksum with it: the digest tells', async () => {
    const key = backup.keys.archiveFile('blob_50007.dat.gz');
    const other = gzipSync('another content!');
    await backup.withObject(
      key,
      () => other,
      async () => {
        await backup.withManifest(
          (manifest) => {
            const object = manifest.objects.find((one) => one.key === key);
            Object.assign(object ?? {}, { bytes: other.length, sha256: sha256(other) });
          },
          async () => {
            await expect(drill.drill()).rejects.toMatchObject({ code: 'drill.different' });
          },
        );
      },
    );
  });

  test('pg_restore reports an error and goes on: the drill fails with its words', async () => {
    source.replaceProgram(
      'pg_restore',
      '"$REAL" "$@"; echo "pg_restore: warning: errors ignored on restore: 1" >&2; exit 1',
    );

    await expect(drill.drill()).rejects.toThrow(/pg_restore exited with code 1: ".*errors ignored on restore: 1"/);
  });

  test('the backend of pg_restore is terminated midway: the drill fails, the scratch database is gone', async () => {
    const running = drill.drill();
    const settled = running.catch((error: unknown) => error);
    const { pid } = await waitForRow<{ pid: number }>(
      source.fresh,
      "select pid from pg_stat_activity where datname like 'nightshift_drill_%' and usename like 'drill_%' and query like 'COPY%readings%' and $1 <> ''",
    );

    await source.fresh.query('select pg_terminate_backend($1)', [pid]);

    expect(await settled).toMatchObject({ code: 'drill.restore_failed' });
  });

  test('the time limit comes near midway: it stops itself and drops the scratch database', async () => {
    const deadline = new AbortController();
    const settled = drill.drill({ signal: deadline.signal }).catch((error: unknown) => error);
    await waitForRow(
      source.fresh,
      "select pid from pg_stat_activity where datname like 'nightshift_drill_%' and usename like 'drill_%' and query like 'COPY%' and $1 <> ''",
    );

    deadline.abort(new JobFailure({ code: 'job.out_of_time', problem: 'p', safeState: 's', hint: 'h' }));

    expect(await settled).toMatchObject({ code: 'job.out_of_time' });
  });

  test('a crashed drill of two hours ago and one of now have left databases: only the old one is swept', async () => {
    const old = `nightshift_drill_20200101t000000z_0123abcd`;
    const young = `nightshift_drill_29990101t000000z_0123abcd`;
    for (const name of [old, young]) await source.fresh.query(`create database ${name} owner "${drill.role}"`);

    const result = await drill.drill();

    expect(result.swept).toEqual([old]);
    expect(await drill.scratchDatabases()).toEqual([young]);
    await source.fresh.query(`drop database ${young}`);
  });

  test('the backup came from a newer server: refused with both versions, nothing is made', async () => {
    await backup.withManifest(
      (manifest) => {
        manifest.engine.version = '99.1';
      },
      async () => {
        await expect(drill.drill()).rejects.toThrow(
          /comes from PostgreSQL 99, the server to restore into is PostgreSQL \d+/,
        );
      },
    );
  });

  test.each([
    ['LATIN1', 'Größe'],
    ['SQL_ASCII', 'size'],
  ])('a database in the encoding %s with the table "%s": backed up, restored and equal', async (encoding, table) => {
    const dbname = `${source.fresh.name}_${encoding.toLowerCase()}`;
    await source.fresh.query(`create database "${dbname}" template template0 encoding '${encoding}' locale 'C'`);
    const { user, password } = inject('cluster');
    const client = await source.fresh.client({ user, password, database: dbname });
    await client.query(`create table "${table}" as select n as id, 'Straße' as name from generate_series(1, 50) n`);
    await client.end();
    const { host, port } = source.fresh.credentials();
    const secret = { host, port, dbname, username: source.role, password: await source.rotate({ secret: true }) };
    aws.secrets.setSecret(source.secretArn, JSON.stringify(secret));
    const made = await source.backUp();
    await source.rotate({ secret: true });

    const result = await drill.drill({}, { backupId: made.backupId });
    await source.fresh.query(`drop database "${dbname}"`);

    expect(result).toMatchObject({ outcome: 'ok', tables: 1, rows: 50 });
  });

  test('the scratch database cannot be dropped: the evidence says ok, the drill fails and names it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-drill-'));
    source.replaceProgram(
      'pg_restore',
      `"$REAL" "$@"; rc=$?; touch ${folder}/done; while [ ! -f ${folder}/go ]; do sleep 0.02; done; exit $rc`,
    );
    const context = recordedContext();
    const settled = drill.drill(context, { backupId }).catch((error: unknown) => error);
    while (!existsSync(join(folder, 'done'))) await sleep(20);
    const [scratch = ''] = await drill.scratchDatabases();
    const { user, password } = inject('cluster');
    const client = await source.fresh.client({ user, password, database: scratch });
    await client.query("begin; create table in_the_way (); prepare transaction 'in_the_way'");
    writeFileSync(join(folder, 'go'), '');

    expect(await settled).toMatchObject({ code: 'drill.scratch_not_dropped' });

    const evidence = backup.readEvidence(context.runId);
    expect(evidence?.['outcome']).toBe('ok');
    const again = await source.fresh.client({ user, password, database: scratch });
    await again.query("rollback prepared 'in_the_way'");
    await again.end();
    await source.fresh.query(`drop database "${scratch}" with (force)`);
    rmSync(folder, { recursive: true });
  });

  test('there is no backup of that name: a clear failure', async () => {
    await expect(drill.drill({}, { backupId: '20200101T000000Z' })).rejects.toThrow(
      /no complete backup "20200101T000000Z" of "shop"; it has 3/,
    );
  });
});
