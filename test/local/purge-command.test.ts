// `npm run purge` in a process of its own, against a real server and S3 and KMS over the wire.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { purgeResult } from '../../functions/purge/contract.ts';
import { type KmsServer, startKmsServer } from '../../local/kms-server.ts';
import { type OwnCluster, startOwnCluster } from '../database/own-cluster.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { createPurgeCommandWorld, type PurgeCommandWorld } from '../support/purge-command.ts';

let cluster: OwnCluster;
let aws: LocalAws;
let kms: KmsServer;
let world: PurgeCommandWorld;

beforeAll(async () => {
  cluster = await startOwnCluster();
  aws = await startLocalAws();
  kms = await startKmsServer();
  process.env['AWS_ENDPOINT_URL_KMS'] = kms.endpoint;
});
beforeEach(async () => {
  world = await createPurgeCommandWorld(cluster);
});
afterEach(async () => {
  aws.setFault(undefined);
  await world.close();
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL_KMS'];
  await kms.stop();
  await aws.stop();
  await cluster.stop();
});

const countEvents = async () =>
  (await world.client.query<{ count: number }>('select count(*)::int as count from app.event')).rows[0]?.count;
const certificateOf = (stdout: string) => /certificate: (\S+)/.exec(stdout)?.[1] ?? 'none';
const hashOf = (text: string) => /Plan ([0-9a-f]{32})/.exec(text)?.[1] ?? 'none';

describe('npm run purge', () => {
  test('no action: a plan with counts and a hash, without colours, and nothing is changed', async () => {
    const { exitCode, stdout, stderr } = await world.run([], { BACKUP_BUCKET: '' });

    expect({ exitCode, events: await countEvents() }).toEqual({ exitCode: 0, events: 100 });
    expect(stdout).toMatch(/│ events │ \d+ \w{3} \d{4} .* │ 40 +│ 0 +│ 0 +│ 40 +│ not known yet │/);
    expect(stdout).toContain('app.event: rows are deleted');
    expect(hashOf(stdout)).toHaveLength(32);
    expect(stderr).toContain(`plan of "${world.dbname}" on `);
    expect(stdout).not.toContain('\u001b');
  });

  test('--run: what is past retention goes, by whom is recorded, the certificate is in the bucket; a second run has nothing to do', async () => {
    const first = await world.run(['--run', '--requested-by', 'ana@example.com']);
    const second = await world.run(['--run', '--json']);

    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stdout).toMatch(/│ events │ finished │ 40 +│ 0 +│ 0 +│/);
    expect(first.stderr).toContain('asked for by ana@example.com');
    expect(hashOf(first.stderr)).toHaveLength(32);
    const certificate = JSON.parse(readFileSync(join(aws.bucketFolder, certificateOf(first.stdout)), 'utf8'));
    expect(certificate).toMatchObject({ rows: { done: 40, left: 0 }, database: world.dbname });
    expect(purgeResult.parse(JSON.parse(second.stdout))).toMatchObject({ complete: true, policies: [{ rowsDone: 0 }] });
    const { rows } = await world.client.query(
      'select requested_by, rows_done::int as rows from nightshift.purge_run order by purge_run_id limit 1',
    );
    expect(rows).toEqual([{ requested_by: 'ana@example.com', rows: 40 }]);
    expect(await countEvents()).toBe(60);
  });

  test('--run --plan-hash of before the policy was changed: refused, nothing is deleted', async () => {
    const hash = hashOf((await world.run(['--plan'])).stdout);
    await world.client.query("update nightshift.retention_policy set retention = '30 days'");

    const { exitCode, stderr } = await world.run(['--run', '--plan-hash', hash]);

    expect({ exitCode, events: await countEvents() }).toEqual({ exitCode: 1, events: 100 });
    expect(stderr).toContain(`the plan ${hash} was made on other policies`);
    expect(stderr).toContain('[purge.refused]');
  });

  test('--policy that does not exist: refused by name', async () => {
    const { exitCode, stderr } = await world.run(['--policy', 'evnts']);

    expect(exitCode).toBe(1);
    expect(stderr).toContain('evnts');
  });

  test('--stop while it runs: it ends after its batch with the reason; --go-on, and the same command ends it', async () => {
    await world.client.query('update nightshift.retention_policy set batch_rows = 1');
    await world.client.query(`
      create function app.slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.1); return old; end $$;
      create trigger slow before delete on app.event for each row execute function app.slow()`);
    const running = world.start(['--run']);
    await running.says('events  ');
    const stop = await world.run(['--stop', '--reason', 'load test', '--requested-by', 'bo'], world.asOwner);
    const stopped = await running.ended;
    const listed = await world.run(['--list']);
    const left = await countEvents();
    const lifted = await world.run(['--go-on'], world.asOwner);
    await world.client.query('drop trigger slow on app.event');
    const again = await world.run(['--run']);

    expect(stop).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('No purge begins another batch') });
    expect(stopped.exitCode).toBe(1);
    expect(stopped.stdout).toContain('stopped');
    expect(stopped.stderr).toContain('--go-on lifts it');
    expect(left).toBeGreaterThan(60);
    expect(listed.stdout).toMatch(/STOPPED by bo at .*: load test/);
    expect(lifted.stdout).toContain('Lifted: load test (placed by bo)');
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/events │ finished │ 40 /) });
  });

  test('a server that needs a pause: it waits, says why and for how long; Ctrl-C ends it with what was done', async () => {
    await world.client.query('begin');
    await world.client.query('lock table app.event in exclusive mode');
    const running = world.start(['--run']);
    await running.says('events waits: ');
    running.child.kill('SIGINT');
    const { exitCode, stderr } = await running.ended;
    await world.client.query('rollback');

    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/goes on in \d+ s/);
    expect(stderr).toContain(
      'stopped by SIGINT; what was committed is recorded, and the same command goes on behind it',
    );
    expect(await countEvents()).toBe(100);
  });

  test('somebody keeps an old row locked to the end: all others go, the certificate says so, and the exit code is 1', async () => {
    await world.client.query('begin');
    await world.client.query('select from app.event order by created_at limit 1 for update');
    const { exitCode, stdout, stderr } = await world.run(['--run']);
    await world.client.query('rollback');

    expect({ exitCode, events: await countEvents() }).toEqual({ exitCode: 1, events: 61 });
    expect(stderr).toContain(
      'events: 1 row past retention still there, locked by another session or kept by a trigger',
    );
    expect(JSON.parse(readFileSync(join(aws.bucketFolder, certificateOf(stdout)), 'utf8'))).toMatchObject({
      outcome: 'incomplete',
      rows: { done: 39, left: 1, other: 1 },
    });
  });

  test('--hold of a row: it stays, and --holds tells why; --release, and it goes', async () => {
    const { rows } = await world.client.query<{ id: string }>(
      'select id::text from app.event order by created_at limit 1',
    );
    const id = rows[0]?.id ?? '';
    const hold = await world.run(
      ['--hold', `event:${id}`, '--reason', 'case 17', '--until', '2099-01-01', '--requested-by', 'dpo'],
      world.asOwner,
    );
    const held = await world.run(['--run']);
    const holds = await world.run(['--holds']);
    const released = await world.run(['--release', '1'], world.asOwner);
    const after = await world.run(['--run']);

    expect(hold).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('Hold 1 is in force for one row of app.event'),
    });
    expect(held.stdout).toMatch(/events │ finished │ 39 +│ 0 +│ 1 +│ 1 +│/);
    expect(holds.stdout).toMatch(new RegExp(`1 +│ app.event │ ${id} +│ case 17 │ dpo +│ .* │ 1 Jan 2099`));
    expect(released.stdout).toContain('Hold 1 on app.event (case 17) is released.');
    expect(after.stdout).toMatch(/events │ finished │ 1 +│/);
  });

  test('--hold of a row that is not there, of a table that is not there, as a role without the right: each is said', async () => {
    const noRow = await world.run(['--hold', 'event:999', '--reason', 'r'], { ...world.asOwner });
    const noTable = await world.run(['--hold', 'evnt:1', '--reason', 'r'], world.asOwner);
    const noRight = await world.run(['--hold', 'event:1', '--reason', 'r']);
    const wrongKey = await world.run(['--hold', 'event:ana', '--reason', 'r'], world.asOwner);

    expect(noRow.exitCode).toBe(0);
    expect(noRow.stdout).toContain('could not be looked at');
    expect(noTable).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there is no table "evnt"') });
    expect(noRight).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('log in as nightshift_migrate') });
    expect(wrongKey).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('by a key that is no bigint') });
    expect((await world.client.query('select from nightshift.legal_hold')).rowCount).toBe(1);
  });

  test('a trigger swallows the hold and the stop flag: neither is called placed', async () => {
    await world.client.query(`
      create function app.swallow() returns trigger language plpgsql as $$ begin return null; end $$;
      create trigger swallow before insert on nightshift.legal_hold for each row execute function app.swallow();
      create trigger swallow before insert on nightshift.purge_stop for each row execute function app.swallow()`);
    const hold = await world.run(['--hold', 'event', '--reason', 'r'], world.asOwner);
    const stop = await world.run(['--stop', '--reason', 'r'], world.asOwner);

    expect(hold).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('no row into nightshift.legal_hold'),
    });
    expect(stop).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('no row into nightshift.purge_stop'),
    });
  });

  test('--subject: a plan first, then with --run everything of that person goes, and only the reference is certified', async () => {
    await world.client.query('update app.event set person_id = 7 where id <= 3');
    const planned = await world.run(['--subject', 'person:7', '--reference', 'DSR-2026-17']);
    const stillThere = await countEvents();
    const erased = await world.run(['--subject', 'app.person:7', '--reference', 'DSR-2026-17', '--run']);

    expect(planned).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('app.event: 3 deleted with them') });
    expect(stillThere).toBe(100);
    expect(erased).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/erasure:DSR-2026-17 │ finished │ 1 +│ 3 +│/),
    });
    expect(await countEvents()).toBe(97);
    const certificate = readFileSync(join(aws.bucketFolder, certificateOf(erased.stdout)), 'utf8');
    expect(certificate).toContain('DSR-2026-17');
    expect(certificate).not.toContain('ana@example.com');
  });

  test('--verify, --sign: unsigned, then signed and valid, then changed; with the key from a file and from KMS', async () => {
    const key = certificateOf((await world.run(['--run'])).stdout);
    const arn = kms.createKey('ECC_NIST_P256');
    const pem = join(world.folder, 'key.pem');
    writeFileSync(pem, kms.publicKeyPem(arn));
    const inBucket = ['--verify', key, '--bucket', BUCKET];
    const unsigned = await world.run([...inBucket, '--public-key', pem]);
    const signed = await world.run(['--sign', key, '--signing-key', arn]);
    const byAnother = await world.run(['--sign', key, '--signing-key', kms.createKey('RSA_2048')]);
    const valid = await world.run([...inBucket, '--signing-key', arn]);
    const file = join(world.folder, 'certificate.json');
    for (const name of ['certificate.json', 'certificate.signature.json'])
      writeFileSync(join(world.folder, name), readFileSync(join(aws.bucketFolder, key, '..', name)));
    const local = await world.run(['--verify', file, '--public-key', pem], {
      AWS_ENDPOINT_URL_KMS: 'http://127.0.0.1:9',
    });
    writeFileSync(file, readFileSync(file, 'utf8').replace('"done": 40', '"done": 41'));
    const changed = await world.run(['--verify', file, '--public-key', pem]);

    expect(unsigned).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(': unsigned: ') });
    expect(signed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${key}: valid: signed at `) });
    expect(byAnother).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(': signed by another key: ') });
    expect(valid).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(': valid: ') });
    expect(local).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(': valid: ') });
    expect(changed).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(': changed since signed: ') });
  });

  test('--check-archive: whole, and then with an object that has another byte', async () => {
    await world.client.query('update nightshift.retention_policy set archive_before_delete = true');
    const run = await world.run(['--run']);
    const manifest = /archive: 40 rows in \d+ objects, .*: (\S+)/.exec(run.stdout)?.[1] ?? 'none';
    const whole = await world.run(['--check-archive', manifest]);
    const object = JSON.parse(readFileSync(join(aws.bucketFolder, manifest), 'utf8')).tables[0].objects[0].key;
    const path = join(aws.bucketFolder, object);
    const bytes = readFileSync(path);
    bytes[bytes.length - 6] = (bytes.at(-6) ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const damaged = await world.run(['--check-archive', manifest]);

    expect(whole).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('40 rows') });
    expect(damaged).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(`DAMAGED ${object}: `) });
  });

  test('--list: the policy with its last run, and personal data without a policy', async () => {
    await world.client.query(`
      insert into nightshift.data_classification
        (schema_name, table_name, column_name, classification, pii_category, encryption_required)
        values ('app', 'person', 'email', 'CONFIDENTIAL', 'contact', true)`);
    const before = await world.run(['--list']);
    await world.run(['--run']);
    const after = await world.run(['--list']);
    const json = JSON.parse((await world.run(['--list', '--json'])).stdout);

    expect(before.stdout).toMatch(/events │ app.event │ delete +│ 60 days 12:00:00 after created_at │ never/);
    expect(before.stdout).toContain('app.person: classified personal data without a policy (email)');
    expect(after.stdout).toMatch(/│ finished \d+ \w{3} \d{4}.* │ 40 +│ 0 +│/);
    expect(json).toMatchObject({ policies: [{ name: 'events', lastDone: '40' }], holds: [], stops: [] });
  });

  test('S3 does not answer while it certifies: it fails by name, and the same command certifies', async () => {
    aws.setFault(({ operation, key }) =>
      operation === 'PutObject' && key?.includes('/purged/') ? { status: 503, code: 'SlowDown' } : undefined,
    );
    const failed = await world.run(['--run']);
    aws.setFault(undefined);
    const again = await world.run(['--run']);

    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain('[object_store.failed]');
    expect(await countEvents()).toBe(60);
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toContain('was stored only now');
  });

  test('--run without a bucket, a wrong password, an unknown database: 2 or 1, and nothing was changed', async () => {
    const noBucket = await world.run(['--run'], { BACKUP_BUCKET: '' });
    const wrong = await world.run(['--plan'], { PGPASSWORD: 'wrong' });
    const unknown = await world.run(['--plan', '--database', 'nowhere'], { DATABASE_URL: '' });

    expect(noBucket).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--run needs --bucket') });
    expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[database.login_refused]') });
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('has no database "nowhere"') });
  });
});
