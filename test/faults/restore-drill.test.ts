// What a restore drill finds. Each defect is put where it would be: into the archive, the manifest or the server.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import { backupState, readEvidence } from '../../functions/shared/backup-state.ts';
import { parseDrillRecord } from '../../functions/shared/drill-record.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { fetchedFolders, type StoredBackup, storedBackup, tableOf } from '../support/changed-backup.ts';
import { createDrillRole, type DrillRole } from '../support/drill-role.ts';
import { withRows } from '../support/edit-rows.ts';
import { withDefinition, withoutEntry, withToc } from '../support/edit-toc.ts';
import { recordedContext } from '../support/job-context.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { verify } from '../support/verify-job.ts';

let aws: LocalAws;
let source: BackupSource;
let drill: DrillRole;
let backupId: string;
let backup: StoredBackup;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 100_000);
  drill = await createDrillRole(aws, source);
  const { query } = source.fresh;
  // Forced row level security, a lone sequence and an odd name: what a compare could stumble over.
  await query('create table app."Odd ""Name""" (id int primary key, owner_id int)');
  await query('insert into app."Odd ""Name""" select n, n from generate_series(1, 10) n');
  await query('alter table app."Odd ""Name""" enable row level security, force row level security');
  await query('create policy none on app."Odd ""Name""" using (owner_id = 1)');
  await query("create sequence app.lone; select setval('app.lone', 41)");
  await query('create table app.sorted (id int primary key, name text collate "C" not null default \'x\')');
  await query('create index sorted_name on app.sorted (name)');
  await query("create view app.seen as select id from app.sorted where name <> 'hidden'");
  await query('create function app.twice(n int) returns int language sql return n * 2');
  // Large objects: small, empty, sparse, and one that is larger than what the server hashes at once.
  await query("select lo_from_bytea(50000 + n, decode(md5(n::text), 'hex')) from generate_series(1, 130) n");
  await query('select lo_create(60001), lo_create(60002)');
  await query("select lo_put(60002, 9000000, 'the end')");
  await query("select lo_from_bytea(3000000000, decode(repeat('00ff', 1500000), 'hex'))");
  backupId = (await source.backUp()).backupId;
  backup = storedBackup(aws, backupId);
  await verify({ database: 'shop', clients: source.clients }, { backupId });
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

/** The failure of a drill and the evidence it has left. */
async function failedDrill(event: { backupId?: string } = { backupId }) {
  const context = recordedContext();
  const failure = await drill.drill(context, event).catch((error: unknown) => error);
  const evidence = backup.readEvidence(context.runId);
  return { failure: String(failure), code: Reflect.get(Object(failure), 'code'), evidence, context };
}

describe('a restore drill', () => {
  test('the backup is whole: everything is compared and equal, the evidence says so, the backup counts as drilled', async () => {
    const context = recordedContext();

    const { drills, outcome } = await drill.drill(context);

    expect(outcome).toBe('ok');
    expect(drills).toMatchObject([
      {
        backupId,
        chosenAs: 'newest',
        compared: { tables: 4, rows: 101_010, sequences: 2, largeObjects: 133 },
        findings: [{ what: 'free storage', problem: expect.stringContaining('DATABASE_INSTANCE_ID is not set') }],
      },
    ]);
    expect(drills[0]?.compared.definitions).toBeGreaterThan(20);
    expect(drills[0]?.compared.assertions).toBeGreaterThan(0);
    const key = drills[0]?.evidence ?? '';
    const record = parseDrillRecord(key, readFileSync(backup.pathOf(key), 'utf8'));
    expect(record).toMatchObject({ outcome: 'ok', problem: null, differences: [], target: { kind: 'same server' } });
    expect(record.notProven).toEqual(expect.arrayContaining([expect.stringMatching(/^ownership and grants/)]));
    expect(context.put).toMatchObject({ DrillFailed: 0 });
    expect(context.put.RtoSeconds).toBeGreaterThan(0);
    const state = backupState(backup.readManifest(), await readEvidence(createObjectStore(BUCKET), 'shop', backupId));
    expect(state).toBe('drilled');
  });

  test('a dry run: it says which backup it would take, and changes nothing', async () => {
    const { outcome, drills } = await drill.drill({}, { dryRun: true });

    expect(outcome).toBe('planned');
    expect(drills).toMatchObject([{ backupId, evidence: null, rtoSeconds: null }]);
  });

  test('one row is missing in the archive, and every checksum fits it: the row digest tells', async () => {
    await withRows(
      backup,
      'readings',
      (text) => text.replace(/^500\t.*\n/m, ''),
      async () => {
        const { failure, code, evidence, context } = await failedDrill();

        expect([code, failure]).toEqual([
          'drill.different',
          expect.stringMatching(/table "app"\."readings": expected 100000 rows/),
        ]);
        expect(evidence).toMatchObject({ outcome: 'different', differenceCount: 1 });
        expect(context.put).toMatchObject({ DrillFailed: 1 });
      },
    );
  });

  test('one value is changed in the archive, and every checksum fits it: the row digest tells, and shows no value', async () => {
    await withRows(
      backup,
      'readings',
      (text) => text.replace(/^(77\t)./m, '$1z'),
      async () => {
        const { failure, code, evidence } = await failedDrill();

        expect(code).toBe('drill.different');
        expect(failure).toMatch(/table "app"\."readings": expected .*digest/);
        const value = createHash('md5').update('77').digest('hex').slice(1);
        expect(JSON.stringify(evidence)).not.toContain(value);
      },
    );
  });

  test('a sequence is set to another value: named with both', async () => {
    await withToc(backup, withDefinition('SEQUENCE SET', "'app.lone', 41", "'app.lone', 42"), async () => {
      const { failure, code } = await failedDrill();

      expect(code).toBe('drill.different');
      expect(failure).toMatch(/1 difference: sequence "app"\."lone": expected 41, found 42/);
    });
  });

  test('a large object is missing in the table of contents: the restore cannot fill it and says which', async () => {
    await withToc(backup, withoutEntry('BLOB', '50007'), async () => {
      const { failure, code } = await failedDrill();

      expect(code).toBe('drill.restore_failed');
      expect(failure).toMatch(/large object.*50007|50007/);
    });
  });

  test('a large object is missing in table of contents and manifest: the digest of all of them tells', async () => {
    await withToc(backup, withoutEntry('BLOB', '50007'), async () => {
      await backup.withManifest(
        (manifest) => {
          manifest.objects = manifest.objects.filter(({ key }) => !key.endsWith('blob_50007.dat.gz'));
        },
        async () => {
          const { failure, code } = await failedDrill();

          expect(code).toBe('drill.different');
          expect(failure).toMatch(/large objects: expected 133 of \d+ bytes.*found 132 of/);
        },
      );
    });
  });

  test.each([
    ['an index', 'INDEX', 'sorted_name', /index "app"\."sorted" "sorted_name": expected present, found missing/],
    ['a primary key', 'CONSTRAINT', 'notes notes_pkey', /"notes_pkey".*: expected present, found missing/],
    ['a view', 'VIEW', 'seen', /view "app"\."seen": expected present, found missing/],
    [
      'a function',
      'FUNCTION',
      'twice(integer)',
      /function "app"\."twice"\(n integer\): expected present, found missing/,
    ],
    ['a policy', 'POLICY', 'Odd "Name" none', /policy .*"none".*: expected present, found missing/],
  ])('%s is lost from the table of contents: the inventory names it', async (_, desc, tag, expected) => {
    await withToc(backup, withoutEntry(desc, tag), async () => {
      const { failure, code } = await failedDrill();

      expect(code).toBe('drill.different');
      expect(failure).toMatch(expected);
    });
  });

  test('the rows of a table are lost from the table of contents: the table is named before anything is restored', async () => {
    await withToc(backup, withoutEntry('TABLE DATA', 'notes'), async () => {
      const { failure, code } = await failedDrill();

      expect(code).toBe('drill.different');
      expect(failure).toMatch(/table "app"\."notes": expected 1000 rows/);
    });
  });

  test('a column gets another collation: its definition differs', async () => {
    await withToc(backup, withDefinition('TABLE', 'COLLATE pg_catalog."C"', 'COLLATE pg_catalog."POSIX"'), async () => {
      const { failure, code } = await failedDrill();

      expect(code).toBe('drill.different');
      expect(failure).toMatch(/column "app"\."sorted"\."name": expected as in the source, found different/);
    });
  });

  test('an extension that the server does not have: unproven, named, and nothing is said about the backup', async () => {
    await backup.withManifest(
      (manifest) => {
        manifest.extensions.push({ name: 'not_to_be_had', version: '1.0' });
      },
      async () => {
        const { failure, code, evidence } = await failedDrill();

        expect(code).toBe('drill.unproven');
        expect(failure).toMatch(/this server lacks extension "not_to_be_had"/);
        expect(evidence).toMatchObject({
          outcome: 'unproven',
          findings: [{ what: 'extension "not_to_be_had"' }],
        });
        const evidenceOfAll = await readEvidence(createObjectStore(BUCKET), 'shop', backupId);
        expect(evidenceOfAll.drills.at(-1)?.outcome).toBe('unproven');
      },
    );
  });

  test('an extension in another version, and a role that is not there: findings, and the drill is ok', async () => {
    await backup.withManifest(
      (manifest) => {
        for (const extension of manifest.extensions) if (extension.name === 'plpgsql') extension.version = '0.9';
        manifest.roles.push('nobody_here');
      },
      async () => {
        const { drills } = await drill.drill({}, { backupId });

        expect(drills[0]?.findings).toEqual(
          expect.arrayContaining([
            { what: 'role "nobody_here"', problem: expect.stringContaining('does not have it') },
            { what: 'extension "plpgsql"', problem: expect.stringContaining('the source had 0.9') },
          ]),
        );
      },
    );
  });

  test('a database with another locale than the server knows: unproven, and nothing is created', async () => {
    await withToc(backup, withDefinition('DATABASE', "'C.UTF-8'", "'xx_XX.UTF-8'"), async () => {
      const { failure, code } = await failedDrill();

      expect(code).toBe('drill.unproven');
      expect(failure).toMatch(/cannot make a database with.*'xx_XX\.UTF-8'/);
    });
  });

  test.each([
    ['number', (large: BackupManifest['largeObjects']) => ({ ...large, count: large.count - 1 })],
    ['digest', (large: BackupManifest['largeObjects']) => ({ ...large, sha256: 'f'.repeat(64) })],
  ])('the %s of the large objects differs from the manifest: named with both', async (_, change) => {
    await backup.withManifest(
      (manifest) => {
        manifest.largeObjects = change(manifest.largeObjects);
      },
      async () => {
        const { failure } = await failedDrill();

        expect(failure).toMatch(/1 difference: large objects: expected 13[23] of \d+ bytes.*found 133 of/);
      },
    );
  });

  test('the backup was not verified: refused, because its rows could not be compared', async () => {
    const { backupId: other } = await source.backUp();

    await expect(drill.drill({}, { backupId: other })).rejects.toMatchObject({ code: 'drill.not_verified' });
  });

  test('there is no backup of that name: a clear failure', async () => {
    await expect(drill.drill({}, { backupId: '20200101T000000Z' })).rejects.toThrow(
      /no complete backup "20200101T000000Z" of "shop"/,
    );
  });

  test('the inventory was changed in the bucket: the backup is not what was written', async () => {
    await backup.withObject(
      backup.keys.inventory,
      (bytes) => Buffer.from(bytes.toString('utf8').replace('"index"', '"indey"')),
      async () => {
        const { code, evidence } = await failedDrill();

        expect(code).toBe('drill.archive_damaged');
        expect(evidence).toMatchObject({ outcome: 'damaged' });
      },
    );
  });

  test('the backup came from a newer server: refused with both versions, nothing is made', async () => {
    await backup.withManifest(
      (manifest) => {
        manifest.engine.version = '99.1';
      },
      async () => {
        await expect(drill.drill({}, { backupId })).rejects.toThrow(
          /comes from PostgreSQL 99, the server to restore into is PostgreSQL \d+/,
        );
      },
    );
  });

  test('a table of the manifest is not in the archive: the drill never says ok of what it did not compare', async () => {
    await backup.withManifest(
      (manifest) => {
        manifest.tables.push({ ...tableOf(manifest, 'notes'), name: 'gone', dumpId: 999_999 });
      },
      async () => {
        const { code, evidence } = await failedDrill();

        expect(code).toMatch(/^drill\./);
        expect(evidence?.['outcome']).not.toBe('ok');
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
    await verify({ database: 'shop', clients: source.clients }, { backupId: made.backupId });

    const { drills } = await drill.drill({}, { backupId: made.backupId });
    await source.fresh.query(`drop database "${dbname}"`);

    expect(drills).toMatchObject([{ compared: { tables: 1, rows: 50 } }]);
  });
});
