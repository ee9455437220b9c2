import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackupResult } from '../../functions/backup/contract.ts';
import type { ThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { verify } from '../support/verify-job.ts';
import { writeAwsShim } from './aws-shim.ts';
import { newServer } from './new-server.ts';
import { readPage, shellBlocks } from './shell-blocks.ts';

const READINGS = 3_000;
const suffix = randomBytes(4).toString('hex');
const owner = `owner_${suffix}`;
const login = `login_${suffix}`;
const blocks = shellBlocks(readPage('restore.md'));

let aws: LocalAws;
let source: BackupSource;
let backup: BackupResult;
let work: string;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'nightshift-restore-page-'));
  writeAwsShim(work);
  aws = await startLocalAws();
  source = await createBackupSource(aws, READINGS);
  const { name, query } = source.fresh;
  await query(`create role ${owner} nologin; create role ${login} login; grant ${owner} to ${login}`);
  await query(`alter schema app owner to ${owner}`);
  await query(`alter table app.notes owner to ${owner}; alter table app.readings owner to ${owner}`);
  await query(`alter table app.notes enable row level security; create policy p on app.notes to ${login} using (true)`);
  await query(`grant select on app.readings to ${login}; alter database ${name} set timezone to 'Europe/Berlin'`);
  await query(`grant connect on database ${name} to ${login}`);
  await query("select lo_from_bytea(50001, 'a large object'), lo_from_bytea(50002, '')");
  await query(
    `alter large object 50001 owner to ${owner}; alter large object 50002 owner to ${owner}; grant select on large object 50001 to ${login}`,
  );
  backup = await source.backUp();
  await verify({ database: 'shop', clients: source.clients });
});

afterAll(async () => {
  await source.fresh.query(`drop owned by ${owner}, ${login}; drop role ${login}, ${owner}`);
  await source.drop();
  await aws.stop();
  rmSync(work, { recursive: true, force: true });
});

describe.each(['superuser', 'rds'] as const)('docs/restore.md, on a new server as %s', (kind) => {
  let server: Awaited<ReturnType<typeof newServer>>;
  let cluster: ThrowawayCluster | undefined;

  beforeAll(async () => {
    server = await newServer(kind, { work, aws, backupId: backup.backupId, blocks });
    cluster = server.cluster;
  });
  afterAll(async () => await cluster?.stop());

  test('the variables at the beginning: they are those that the blocks are run with here', () => {
    const exported = blocks
      .filter(({ section }) => section === 'Before you begin')
      .flatMap(({ text }) => [...text.matchAll(/^export (\w+)=/gm)].map(([, name]) => name));

    expect(exported.filter((name) => !Object.keys(server.environment).includes(name ?? ''))).toEqual([]);
    expect(exported).toHaveLength(11);
  });

  test('step 1: the backup and its verification are listed, and that it was not drilled is said', async () => {
    const { exitCode, stdout } = await server.section('1. Choose the backup');

    expect(exitCode).toBe(0);
    expect(stdout).toContain(`shop/${backup.backupId}/manifest.json`);
    expect(stdout).not.toContain('this backup was not verified');
    expect(stdout).toMatch(/[0-9a-f-]{36}\.json/);
    expect(stdout).toContain('no drill of this backup');
  });

  test('look first: the backup is chosen, missing roles are named, nothing is made, and three files are fetched', async () => {
    const { exitCode, stdout } = await server.section('Look first');

    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Backup ${backup.backupId} of "shop"`);
    expect(stdout).toMatch(new RegExp(`This server lacks roles of the backup: .*"${owner}"`));
    expect(stdout).toContain('Dry run: nothing was changed');
    expect(await server.sql('postgres', "select count(*) from pg_database where datname = 'restored'")).toBe('0');
    expect(readdirSync(server.folder)).toEqual(expect.arrayContaining(['archive', 'globals.sql', 'manifest.json']));
  });

  test('step 2: the archive is fetched, and every file and range has the SHA-256 of the manifest', async () => {
    const { exitCode, stdout } = await server.section('2. Fetch and check');

    expect(exitCode).toBe(0);
    // The table of contents, the list of large objects, two of these, globals.sql and inventory.json; and the ranges of two tables.
    expect(stdout).toMatch(/OK: 6 files, [2-9] ranges/);
    expect(readdirSync(join(server.folder, 'archive'))).toHaveLength(6);
    expect(readFileSync(join(server.folder, 'contents.txt'), 'utf8')).toContain(' TABLE DATA app readings ');
  });

  test('step 2 once more with a damaged file: a byte of a table, and of any other file, is found', async () => {
    const [, , , table = ''] = readFileSync(join(server.folder, 'ranges.txt'), 'utf8').split(/[ \n]/);
    for (const [file, found] of [
      [table, `${table}: FAILED at byte 1`],
      ['archive/blob_50001.dat.gz', 'archive/blob_50001.dat.gz: FAILED'],
    ] as const) {
      const path = join(server.folder, file);
      const whole = readFileSync(path);
      const damaged = Buffer.from(whole);
      damaged[12] = (damaged[12] ?? 0) ^ 1;
      writeFileSync(path, damaged);

      // The same size, so that it is not fetched again.
      const end = await server.section('2. Fetch and check');

      expect(end).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(found) });
      expect(end.stdout).not.toContain('OK');
      writeFileSync(path, whole);
    }
    expect((await server.section('2. Fetch and check')).exitCode).toBe(0);
  });

  test('step 3: the roles are there with their attributes and memberships', async () => {
    const { exitCode } = await server.section('3. Roles');

    expect(exitCode).toBe(0);
    expect(await server.sql('postgres', `select rolcanlogin from pg_roles where rolname = '${login}'`)).toBe('t');
    expect(await server.sql('postgres', `select pg_has_role('${login}', '${owner}', 'member')`)).toBe('t');
  });

  test('the fast way, whole database: restored with owners, grants and policies, and equal to the manifest', async () => {
    const { exitCode, stdout } = await server.section('Whole database');
    const compared = await server.section('5. Compare with the manifest');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('Restored 2 tables, 4,000 rows, 2 large objects in ');
    await expectOwnersAndGrants('restored');
    expect(compared.stdout).toMatch(/sequence \| +1 \| +0\n table +\| +2 \| +0/);
    expect(await server.sql('restored', "select to_regnamespace('nightshift_restore') is null")).toBe('t');
    await server.sql('postgres', 'drop database restored');
  });

  test('the fast way, one table or schema: each in a database of its own', async () => {
    const { exitCode } = await server.section('One table or schema');

    expect(exitCode).toBe(0);
    expect(await server.sql('some_tables', 'select count(*) from app.notes')).toBe('1000');
    expect(await server.sql('some_schema', 'select count(*) from app.readings')).toBe(String(READINGS));
  });

  /** What step 4 and the fast way both bring. */
  async function expectOwnersAndGrants(dbname: string): Promise<void> {
    expect(
      await server.sql(dbname, "select tableowner from pg_tables where schemaname = 'app' and tablename = 'notes'"),
    ).toBe(owner);
    expect(await server.sql(dbname, `select has_table_privilege('${login}', 'app.readings', 'select')`)).toBe('t');
    expect(await server.sql(dbname, 'select count(*) from pg_policies')).toBe('1');
    expect(
      await server.sql(
        dbname,
        "select lomowner::regrole || ' ' || coalesce(lomacl::text, '-') from pg_largeobject_metadata where oid = 50001",
      ),
    ).toBe(`${owner} {${owner}=rw/${owner},${login}=r/${owner}}`);
  }

  test('step 4: the database is restored with owners, grants and policies', async () => {
    const { exitCode, stderr } = await server.section('4. Database');

    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('error')]);
    await expectOwnersAndGrants('restored');
  });

  test('step 5: every row count and sequence is equal; after a row is deleted, its table is named', async () => {
    const before = await server.section('5. Compare with the manifest');
    await server.sql('restored', 'delete from app.notes where id = 1');
    const after = await server.section('5. Compare with the manifest');

    expect(before.exitCode).toBe(0);
    expect(before.stdout).toMatch(/sequence \| +1 \| +0\n table +\| +2 \| +0/);
    expect(after.stdout).toMatch(/table \| app +\| notes \| 1000 +\| 999/);
    expect(after.stdout).toMatch(/table +\| +2 \| +1/);
    expect(await server.sql('restored', 'select count(*) from app.readings')).toBe(String(READINGS));
  });

  test('step 6: the settings of the database are shown, and it gets its name', async () => {
    const { exitCode, stdout } = await server.section('6. Passwords, settings, switch');

    expect(exitCode).toBe(0);
    expect(stdout).toContain(`SET "TimeZone" TO 'Europe/Berlin'`);
    expect(stdout).toContain(`GRANT CONNECT ON DATABASE ${source.fresh.name} TO ${login}`);
    expect(await server.sql('postgres', "select count(*) from pg_database where datname = 'shop'")).toBe('1');
  });

  test('one table: its rows are restored beside the live database from two files of the archive', async () => {
    const { exitCode, stdout } = await server.section('One table');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('1000');
    expect(readdirSync(join(server.folder, 'one-table'))).toHaveLength(2);
  });

  test('rows that are gone: the one that was deleted is put back, those that are there stay', async () => {
    await server.sql('shop', "update app.notes set body = 'newer' where id = 2");

    const { exitCode, stdout } = await server.section('Rows that are gone');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('INSERT 0 1');
    expect(await server.sql('shop', 'select count(*) from app.notes')).toBe('1000');
    expect(await server.sql('shop', 'select body from app.notes where id in (1, 2) order by id')).toBe('note 1\nnewer');
  });

  test('a table that is gone: it is back with its rows, key, owner and policy', async () => {
    await server.sql('shop', 'drop table app.notes');

    const { exitCode } = await server.section('A table that is gone');

    expect(exitCode).toBe(0);
    expect(await server.sql('shop', 'select count(*), max(body) filter (where id = 1) from app.notes')).toBe(
      '1000|note 1',
    );
    expect(
      await server.sql(
        'shop',
        "select indexname, tableowner from pg_indexes join pg_tables using (schemaname, tablename) where tablename = 'notes'",
      ),
    ).toBe(`notes_pkey|${owner}`);
    expect(await server.sql('shop', 'select count(*) from pg_policies')).toBe('1');
  });

  test('a table that was emptied: its rows are back, its sequence does not go back, and it is not done twice', async () => {
    await server.sql('shop', 'truncate app.readings');
    const next = Number(await server.sql('shop', "select nextval('app.readings_id_seq')"));

    const { exitCode, stdout } = await server.section('A table that was emptied');
    const again = await server.section('A table that was emptied');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('Sequences were left as they are');
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(SQLSTATE 23505)') });
    expect(await server.sql('shop', 'select count(*) from app.readings')).toBe(String(READINGS));
    expect(Number(await server.sql('shop', "select nextval('app.readings_id_seq')"))).toBe(next + 1);
  });

  test('one schema: all its tables are restored', async () => {
    const { exitCode, stderr } = await server.section('One schema');

    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
    expect(await server.sql('one_schema', 'select count(*) from app.readings')).toBe(String(READINGS));
    expect(await server.sql('one_schema', 'select count(*) from app.notes')).toBe('1000');
  });

  test('leave something out: the table is there without its rows, everything else is whole', async () => {
    const { exitCode, stderr } = await server.section('Leave something out');

    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
    expect(await server.sql('chosen', 'select count(*) from app.readings')).toBe('0');
    expect(await server.sql('chosen', 'select count(*) from app.notes')).toBe('1000');
  });

  test('into an older server: the script restores everything', async () => {
    const { exitCode, stderr } = await server.section('Into an older server');

    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
    expect(await server.sql('older', 'select count(*) from app.readings')).toBe(String(READINGS));
    expect(await server.sql('older', "select convert_from(lo_get(50001), 'UTF8')")).toBe('a large object');
  });

  test('without owners: everything is restored and belongs to whoever restored it', async () => {
    const { exitCode, stderr } = await server.section('Without owners and grants');

    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
    expect(await server.sql('without_owners', 'select count(*) from app.readings')).toBe(String(READINGS));
    expect(
      await server.sql(
        'without_owners',
        "select distinct tableowner = current_user from pg_tables where schemaname = 'app'",
      ),
    ).toBe('t');
  });

  test('a key that is not there: the stand-in for aws fails as aws does, and the block stops', async () => {
    const end = await server.shell(
      'export BACKUP=20000101T000000Z\naws s3 cp "s3://$BUCKET/$DATABASE/$BACKUP/globals.sql" .\necho went on',
    );

    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain('(404) when calling the HeadObject operation');
    expect(end.stdout).not.toContain('went on');
  });

  test('a command that the stand-in for aws does not know: it fails', async () => {
    expect((await server.shell('aws s3 rm s3://backups/shop')).exitCode).toBe(252);
    expect((await server.shell('aws s3 sync . s3://backups/shop')).exitCode).toBe(252);
  });
});

describe('the shell blocks of docs/restore.md', () => {
  test('every block: it is run above, or it asks AWS itself or only sets the variables', () => {
    const notRun = blocks.filter(({ section, tag }) => tag === 'aws' || section === 'Before you begin');

    expect(notRun.every(({ text }) => /^(aws|export|AWS_PROFILE=\S+ npm) /.test(text))).toBe(true);
    expect([...new Set(blocks.map(({ tag }) => tag))].toSorted()).toEqual(['', 'aws', 'rds', 'superuser']);
    expect([...new Set(blocks.filter((block) => !notRun.includes(block)).map(({ section }) => section))]).toEqual([
      'Look first',
      'Whole database',
      'One table or schema',
      'Rows that are gone',
      'A table that is gone',
      'A table that was emptied',
      // By restore-purged.test.ts.
      'Rows that a purge removed',
      '1. Choose the backup',
      '2. Fetch and check',
      '3. Roles',
      '4. Database',
      '5. Compare with the manifest',
      '6. Passwords, settings, switch',
      'One table',
      'One schema',
      'Leave something out',
      'Into an older server',
      'Without owners and grants',
    ]);
  });

  test('what the page says is in a backup: it is what lies in the bucket', () => {
    const page = readPage('restore.md');
    const present = readdirSync(join(aws.bucketFolder, 'shop', backup.backupId), { withFileTypes: true });

    for (const entry of present) expect(page).toContain(`| \`${entry.name}${entry.isDirectory() ? '/' : ''}\` |`);
    expect(present.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['archive', 'globals.sql', 'inventory.json', 'manifest.json']),
    );
  });

  test('the names of the manifest that the page tells to look at: the manifest has them', () => {
    const manifest: unknown = JSON.parse(
      readFileSync(join(aws.bucketFolder, 'shop', backup.backupId, 'manifest.json'), 'utf8'),
    );

    expect(manifest).toMatchObject({
      takenAt: expect.any(String),
      clientVersion: expect.any(String),
      archiveVersion: '1.14',
      codec: 'gzip',
      encoding: 'UTF8',
      excluded: [],
      notSeen: [],
      extensions: [{ name: 'plpgsql', version: expect.any(String) }],
    });
  });

  test('the backup role has no BYPASSRLS: refused, unless a policy shows it every row of the table', async () => {
    const { query } = source.fresh;
    await query(`alter role ${source.role} nobypassrls`);
    const withoutPolicy = await source.backUp().catch((error: unknown) => error);
    await query(`create policy all_rows on app.notes for select to ${source.role} using (true)`);
    const withPolicy = await source.backUp();
    await query(`drop policy all_rows on app.notes; alter role ${source.role} bypassrls`);

    expect(withoutPolicy).toMatchObject({ code: 'backup.unreadable_rows' });
    expect(withPolicy.rows).toBe(backup.rows);
  });
});
