// What a policy does besides deleting: anonymise, archive first, erase a person, drop partitions; and what each run leaves as
// evidence. On a real server and over the wire to the S3 stand-in.
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkArchive } from '../../functions/purge/archive/check-archive.ts';
import { parseCertificate } from '../../functions/purge/certificate/certificate.ts';
import { verifyCertificate } from '../../functions/purge/certificate/verify-certificate.ts';
import { purgeKeys } from '../../functions/shared/backup-layout.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { type SigningKey, SigningKeyError } from '../../functions/shared/signing-key.ts';
import { signEcdsaDigest } from '../../local/kms/sign-digest.ts';
import { createPurgeWorld, DATABASE, type PurgeWorld } from './purge-world.ts';

let world: PurgeWorld;
beforeAll(async () => {
  world = await createPurgeWorld();
});
beforeEach(async () => {
  await world.reset();
  world.aws.setFault(undefined);
});
afterAll(async () => await world.close());

const sql = async (text: string) => await world.fresh.query(text.replaceAll('ROLE', world.role.user));
const numbers = async (query: string) => (await world.fresh.query<{ n: number }>(query)).rows.map(({ n }) => n);
async function certificateOf(key: string | null | undefined) {
  const text = await world.store.getText(key ?? '');
  return parseCertificate(key ?? '', text ?? '');
}

describe('anonymise', () => {
  beforeEach(async () => {
    await sql(`
      create table app.account (
        id int primary key, email text unique, born date, at timestamptz not null, anonymised_at timestamptz
      );
      insert into app.account select age, 'p' || age || '@x.org', '2000-02-29', now() - make_interval(days => age) from generate_series(1, 100) age;
      create index on app.account (at);
      grant select, update on app.account to ROLE`);
  });
  const policy = {
    table: 'account',
    column: 'at',
    action: 'anonymise',
    anonymise: { email: "'gone-' || id || '@invalid'", born: "date_trunc('year', born)" },
    marker: 'anonymised_at',
  };

  test('old rows are changed and marked, once; young ones are not touched', async () => {
    await world.addPolicy(policy);

    const first = await world.purge();
    await sql("update app.account set email = 'somebody-new-' || id where id = 100");
    const second = await world.purge();

    expect(first.policy).toMatchObject({ action: 'anonymise', state: 'finished', rowsDone: 40, rowsLeft: 0 });
    expect(second.policy).toMatchObject({ rowsDone: 0, rowsLeft: 0 });
    expect(await numbers("select count(*)::int as n from app.account where email like 'gone-%'")).toEqual([39]);
    expect(await numbers("select count(*)::int as n from app.account where born = '2000-01-01'")).toEqual([40]);
    expect(await numbers('select count(*)::int as n from app.account where anonymised_at is null')).toEqual([60]);
  });

  test.each([
    ['is two expressions', { email: 'null, id = 1' }],
    ['has another type', { born: "'not ' || 'a date'" }],
    ['names no column', { email: 'nickname' }],
    ['is an aggregate', { email: 'max(email)' }],
  ])('an expression %s: refused, nothing is changed', async (_, anonymise) => {
    await world.addPolicy({ ...policy, anonymise });

    await expect(world.purge()).rejects.toMatchObject({ code: 'purge.refused' });
    expect(await numbers('select count(*)::int as n from app.account where anonymised_at is null')).toEqual([100]);
  });

  test('a held row and a row that is referenced by its address: the one stays, the other is changed with a valid key only', async () => {
    await sql(`
      create table app.mail (address text references app.account (email));
      insert into app.mail values ('p99@x.org');
      grant select on app.mail to ROLE;
      insert into nightshift.legal_hold (schema_name, table_name, key_value, reason) values ('app', 'account', '98', 'case 1')`);
    await world.addPolicy(policy);

    const { policy: result } = await world.purge();

    expect(result).toMatchObject({ rowsDone: 38, rowsLeft: 2, skipped: { held: 1, referenced: 1, other: 0 } });
    expect(await numbers('select id as n from app.account where id > 60 and anonymised_at is null order by 1')).toEqual(
      [98, 99],
    );
  });
});

describe('archive before delete', () => {
  test('rows and their children are in the archive, byte for byte, before they are gone; the certificate names it', async () => {
    await sql(`
      create table app.item (id int primary key, event_id bigint references app.event (id) on delete cascade, note text);
      insert into app.item select id, id, E'tab\\t and \\\\ and \\n' from app.event;
      create index on app.item (event_id);
      grant select, delete, update on app.item to ROLE`);
    await world.addPolicy({ archive: true });
    const before = await numbers('select count(*)::int as n from app.event where id > 60');

    const { policy } = await world.purge();
    const certificate = await certificateOf(policy?.certificateKey);
    const manifestKey = policy?.archive?.manifestKey ?? '';
    const { manifest, damaged } = await checkArchive(world.store, manifestKey, {
      clock: systemClock,
      signal: new AbortController().signal,
    });

    expect(before).toEqual([40]);
    expect(policy).toMatchObject({ rowsDone: 40, archive: { rows: 80 } });
    expect(damaged).toEqual([]);
    expect(manifest.tables.map(({ name, objects }) => [name, objects.length])).toEqual([
      ['event', 6],
      ['item', 6],
    ]);
    expect(certificate.archive).toMatchObject({ rows: 80, manifestKey });
    expect(certificate.stillHeldBy.archiveUntil).toMatch(/^\d{4}-/);
  });

  test('S3 refuses in the middle: the batch is rolled back and told, and a later run archives what is left', async () => {
    await world.addPolicy({ archive: true });
    let puts = 0;
    world.aws.setFault(({ operation, key }) => {
      if (operation !== 'PutObject' || !key?.includes('purge-archive')) return undefined;
      puts += 1;
      return puts > 2 ? { status: 403, code: 'AccessDenied' } : undefined;
    });

    const failure = await world.purge().catch((error: unknown) => error);
    const left = (await world.countEvents()) ?? 0;
    world.aws.setFault(undefined);
    const { policy } = await world.purge();

    expect(failure).toMatchObject({ code: 'object_store.failed' });
    expect(left).toBe(86);
    expect(policy).toMatchObject({ rowsDone: 40, batches: 6, archive: { rows: 40 } });
  });
});

describe('the certificate', () => {
  test('counts, runs, cutoff and what still holds the rows; the next one names the one before', async () => {
    await world.addPolicy({ name: 'chained' });
    const stop = new AbortController();
    await world.purge({ signal: stop.signal, onBatch: () => stop.abort(), event: { requestedBy: 'ada' } });
    const first = await world.purge({ runId: 'request-2' });
    const second = await world.purge({ runId: 'request-3' });

    const one = await certificateOf(first.policy?.certificateKey);
    const two = await certificateOf(second.policy?.certificateKey);

    expect(one).toMatchObject({
      database: DATABASE,
      outcome: 'complete',
      rows: { done: 40, left: 0 },
      runs: [
        { requestId: 'request-1', requestedBy: 'ada', state: 'stopped' },
        { requestId: 'request-2', state: 'finished' },
      ],
      policy: { name: 'chained', version: 1 },
      previousCertificate: null,
    });
    expect(one.stillHeldBy.backupsUntil).toMatch(/^\d{4}-/);
    expect(two.previousCertificate?.key).toBe(first.policy?.certificateKey);
    expect(two.rows.done).toBe(0);
    expect(await world.store.getText(purgeKeys(DATABASE, 'chained', first.policy?.series ?? '').readable)).toContain(
      '<!doctype html>',
    );
  });

  test('killed between the last batch and the certificate: the next run stores it', async () => {
    await world.addPolicy();
    world.aws.setFault(({ key }) =>
      key?.endsWith('certificate.json') ? { status: 403, code: 'AccessDenied' } : undefined,
    );
    await expect(world.purge()).rejects.toMatchObject({ code: 'object_store.failed' });
    world.aws.setFault(undefined);

    const { policy } = await world.purge();
    const [late] = (await world.fresh.query('select certificate_key from nightshift.purge_run order by purge_run_id'))
      .rows;

    expect(policy?.warnings).toContainEqual(expect.stringContaining('was stored only now'));
    expect((await certificateOf(late?.['certificate_key'])).rows.done).toBe(40);
  });

  test('signed: anybody can verify it; KMS refuses: the run fails, and the next one signs', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    let refuses = true;
    const signingKey: SigningKey = {
      readPublicKey: async () => ({
        keyArn: 'arn:aws:kms:us-east-1:111122223333:key/1',
        algorithm: 'ECDSA_SHA_256',
        publicKeyPem,
      }),
      sign: async (digest) => {
        if (refuses) throw new SigningKeyError('KMS did not sign');
        return signEcdsaDigest(privateKey, digest);
      },
      close: () => {},
    };
    await world.addPolicy();

    await expect(world.purge({ signingKey })).rejects.toMatchObject({ code: 'purge.not_signed' });
    const [run] = (
      await world.fresh.query<{ series_id: string }>('select purge_run_id::text as series_id from nightshift.purge_run')
    ).rows;
    const keys = purgeKeys(DATABASE, 'events', run?.series_id ?? '');
    const unsigned = await world.store.getText(keys.signature);
    refuses = false;
    await world.purge({ signingKey });
    const check = async (change = '') =>
      verifyCertificate({
        certificate: Buffer.from(`${(await world.store.getText(keys.certificate)) ?? ''}${change}`),
        signature: await world.store.getText(keys.signature),
        publicKeyPem,
      });

    expect(unsigned).toBeUndefined();
    expect(await check()).toMatchObject({ result: 'valid' });
    expect(await check(' ')).toMatchObject({ result: 'changed since signed' });
  });
});

describe('erasure of a person', () => {
  const subject = { table: 'person', key: '7', reference: 'DSR-2026-17' };
  beforeEach(async () => {
    await sql(`
      create table app.person (id int primary key, name text);
      create table app.orders (id int primary key, person_id int not null references app.person (id));
      create table app.line (id int primary key, order_id int not null references app.orders (id) on delete cascade);
      create table app.visit (id int primary key, person_id int references app.person (id) on delete set null);
      create table app.trail (id int generated always as identity primary key, about int, note text);
      create table app.account (id int primary key, person_id int references app.person (id), email text, at timestamptz, gone_at timestamptz);
      insert into app.person values (7, 'Ada'), (8, 'Bob');
      insert into app.orders select n, 7 + n % 2 from generate_series(0, 19) n;
      insert into app.line select n, n % 20 from generate_series(0, 59) n;
      insert into app.visit values (1, 7), (2, 8);
      insert into app.trail (about) values (7), (8);
      create function app.leave_trail() returns trigger language plpgsql security definer as $$
        begin insert into app.trail (about, note) values (old.id, 'deleted'); return null; end $$;
      create trigger leaves_trail after delete on app.person for each row execute function app.leave_trail();
      insert into nightshift.data_classification
        (schema_name, table_name, column_name, classification, pii_category, encryption_required, subject_schema, subject_table)
      values ('app', 'trail', 'about', 'CONFIDENTIAL', 'identity', false, 'app', 'person');
      grant select, delete, update on all tables in schema app to ROLE`);
  });

  test('a dry run tells each table; the run removes all of it, also what a trigger writes, and nothing of others', async () => {
    const plan = await world.purge({ event: { dryRun: true, subject } });
    const run = await world.purge({ event: { subject, requestedBy: 'dpo' } });
    const certificate = await certificateOf(run.policy?.certificateKey);

    expect(plan.policy?.plan?.children.map(({ table, action, rows }) => [table, action, rows])).toEqual([
      ['app.account', 'deleted', 0],
      ['app.trail', 'deleted', 1],
      ['app.line', 'deleted', 30],
      ['app.orders', 'deleted', 10],
    ]);
    expect(plan.policy).toMatchObject({ action: 'erase', plan: { rows: 1 } });
    expect(run.policy).toMatchObject({ state: 'finished', rowsDone: 1, rowsLeft: 0 });
    expect(run.policy?.children).toEqual([
      { table: 'app.line', deleted: 30, changed: 0 },
      { table: 'app.orders', deleted: 10, changed: 0 },
      { table: 'app.trail', deleted: 2, changed: 0 },
      { table: 'app.visit', deleted: 0, changed: 1 },
    ]);
    expect(await numbers('select id as n from app.person')).toEqual([8]);
    expect(await numbers('select about as n from app.trail')).toEqual([8]);
    expect(await numbers('select count(*)::int as n from app.line')).toEqual([30]);
    expect(certificate).toMatchObject({
      subject: { table: 'app.person', reference: 'DSR-2026-17' },
      policy: null,
      rows: { done: 1 },
    });
    expect(
      JSON.stringify(await world.fresh.query('select * from nightshift.purge_run').then(({ rows }) => rows)),
    ).not.toContain('"7"');
  });

  test('a table with a policy that anonymises: its row is anonymised; the reference keeps the person, which is told', async () => {
    await sql("insert into app.account values (1, 7, 'ada@x.org', now(), null)");
    await world.addPolicy({
      name: 'accounts',
      table: 'account',
      column: 'at',
      action: 'anonymise',
      anonymise: { email: "'gone'", person_id: 'null' },
      marker: 'gone_at',
    });

    const { policy } = await world.purge({ event: { subject } });

    expect(policy).toMatchObject({ rowsDone: 1, rowsLeft: 0 });
    expect(policy?.children).toContainEqual({ table: 'app.account', deleted: 0, changed: 1 });
    expect((await sql('select email, person_id from app.account')).rows).toEqual([{ email: 'gone', person_id: null }]);
  });

  test('the person is held: nothing of it goes, all of it is counted as held', async () => {
    await sql(`insert into nightshift.legal_hold (schema_name, table_name, key_value, is_subject, reason)
      values ('app', 'person', '7', true, 'case 1')`);

    const { policy } = await world.purge({ event: { subject } });

    expect(policy).toMatchObject({ rowsDone: 0, children: [], skipped: { held: 42 } });
    expect((await certificateOf(policy?.certificateKey)).outcome).toBe('kept back');
  });

  test.each([
    [{ ...subject, table: 'nobody' }, 'there is no table "nobody"'],
    [{ ...subject, key: 'Ada Lovelace' }, 'is no integer'],
    [{ ...subject, table: 'event', schema: 'nightshift' }, 'there is no table "nightshift.event"'],
  ])('a subject that cannot be: refused, and the key is not repeated', async (wrong, problem) => {
    const failure = await world.purge({ event: { subject: wrong } }).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'purge.refused', problem: expect.stringContaining(problem) });
    expect(String(failure)).not.toContain('Lovelace');
  });
});

describe('drop_partition by runPurge', () => {
  test('old partitions are archived and dropped, the newest stay, the certificate tells each', async () => {
    await sql(`
      create table app.measure (id int, at timestamptz not null) partition by range (at);
      do $$ begin for month in 1..12 loop
        execute format('create table app.measure_%s partition of app.measure for values from (%L) to (%L)', month,
          date_trunc('month', now()) - make_interval(months => 13 - month), date_trunc('month', now()) - make_interval(months => 12 - month));
      end loop; end $$;
      insert into app.measure select n, date_trunc('month', now()) - interval '1 month' * (n % 12 + 1) from generate_series(1, 120) n;
      grant select on app.measure to ROLE;
      create role keeper_${DATABASE}_${Date.now()} nologin`);
    const [owner] = (
      await sql("select rolname as name from pg_roles where rolname like 'keeper_%' order by oid desc limit 1")
    ).rows;
    await sql(`
      do $$ declare part regclass; begin for part in select relid from pg_partition_tree('app.measure') loop
        execute format('alter table %s owner to ${owner?.['name']}', part); end loop; end $$;
      grant create on schema app to ${owner?.['name']};
      grant ${owner?.['name']} to ROLE`);
    await world.addPolicy({
      table: 'measure',
      column: 'at',
      retention: '6 months',
      action: 'drop_partition',
      keepPartitions: 8,
      archive: true,
    });

    const plan = await world.purge({ event: { dryRun: true } });
    const run = await world.purge();
    const certificate = await certificateOf(run.policy?.certificateKey);
    await sql('drop table app.measure');
    await sql(`drop owned by ${owner?.['name']}; drop role ${owner?.['name']}`);

    expect(plan.policy?.partitions.map(({ state }) => state)).toEqual(['planned', 'planned', 'planned', 'planned']);
    expect(run.policy).toMatchObject({ state: 'finished', rowsDone: 40, archive: { rows: 40, objects: 4 } });
    expect(run.policy?.partitions.map(({ table, state, rows }) => [table, state, rows])).toEqual([
      ['app.measure_1', 'dropped', 10],
      ['app.measure_2', 'dropped', 10],
      ['app.measure_3', 'dropped', 10],
      ['app.measure_4', 'dropped', 10],
    ]);
    expect(certificate.partitions).toHaveLength(4);
    expect(certificate.rows.done).toBe(40);
  });
});
