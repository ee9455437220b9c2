// `npm run migrate` that is stopped, killed or started twice while a statement is at work.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startSecretsServer } from '../../local/secrets-server.ts';
import { config } from '../../nightshift.config.ts';
import { type OwnCluster, startOwnCluster } from '../database/own-cluster.ts';
import { createMigrateWorld, type MigrateWorld, untilAtWork } from '../support/migrate-command.ts';

const INDEX = {
  '0001_a.up.sql': 'create table public.a (id int primary key, value text);\ninsert into public.a values (1);',
  '0001_a.down.sql': 'drop table public.a;',
  '0002_index.up.sql': 'create index concurrently a_value on public.a (value);\ncomment on table public.a is $$done$$;',
  '0002_index.down.sql': 'drop index concurrently public.a_value;',
};

let cluster: OwnCluster;
let world: MigrateWorld;

beforeAll(async () => {
  cluster = await startOwnCluster();
});
beforeEach(async () => {
  world = await createMigrateWorld(cluster);
  world.writeFiles(INDEX);
});
afterEach(async () => await world.close());
afterAll(async () => await cluster.stop());

/** A transaction that CREATE INDEX CONCURRENTLY has to wait for. */
async function openTransaction() {
  const writer = await cluster.client(world.dbname);
  await writer.query("begin; update public.a set value = 'x'");
  return writer;
}

describe('npm run migrate, stopped', () => {
  test('Ctrl-C while a statement runs alone: it goes on in the server, status tells of it, the next up records it', async () => {
    await world.run(['up', '--to', '1']);
    const writer = await openTransaction();
    const run = world.start(['up']);
    const pid = await untilAtWork(world.client, 'create index concurrently%');

    run.child.kill('SIGINT');
    const end = await run.ended;
    const status = await world.run(['status']);
    await writer.query('commit');
    const next = await world.run(['up']);

    expect(end).toMatchObject({ exitCode: 130, stdout: '' });
    expect(end.stderr).toContain(`(pid ${pid})`);
    expect(end.stderr).toContain(
      'It goes on in the server without this command: npm run migrate -- status tells how far it is',
    );
    expect(end.stderr).toContain('stopped by SIGINT');
    expect(status.stdout).toContain('half done: up, 0 of 2 statements');
    expect(status.stdout).toMatch(
      new RegExp(`create index concurrently: waiting \\(pid ${pid}\\).*behind pid \\d+ \\("test"`),
    );
    expect(next).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Now at 2, 0 pending.') });
    const { rows } = await world.client.query(
      "select indisvalid from pg_index where indexrelid = 'public.a_value'::regclass",
    );
    expect(rows).toEqual([{ indisvalid: true }]);
  });

  test('Ctrl-C in a transaction: it is rolled back, exit code 130, and up runs it again', async () => {
    await world.run(['up', '--to', '1']);
    world.writeFiles({ ...INDEX, '0002_index.up.sql': 'create table public.b (id int); select pg_sleep(20);' });
    const run = world.start(['up']);
    await untilAtWork(world.client, 'select pg_sleep%');

    run.child.kill('SIGINT');
    const end = await run.ended;

    expect(end.exitCode).toBe(130);
    expect(end.stderr).toContain(
      'stopped by SIGINT; an open transaction was rolled back, and what was committed is recorded',
    );
    expect(end.stderr).not.toContain('goes on in the server');
    expect(await world.recorded()).toEqual([1]);
    const { rows } = await world.client.query("select to_regclass('public.b') as b");
    expect(rows).toEqual([{ b: null }]);
  });

  test('killed while a statement runs alone: the next up waits for its end, says for whom it waits, and goes on', async () => {
    await world.run(['up', '--to', '1']);
    const writer = await openTransaction();
    const first = world.start(['up']);
    await untilAtWork(world.client, 'create index concurrently%');
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');

    const second = world.start(['up']);
    await second.says('A statement of an earlier run is at work; this one waits for its end and goes on');
    await second.says('create index concurrently: waiting (pid ');
    await writer.query('commit');
    const end = await second.ended;

    expect(end).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Now at 2, 0 pending.') });
    expect(end.stderr).toContain('the server had ended it by itself');
    const { rows } = await world.client.query("select obj_description('public.a'::regclass) as said");
    expect(rows).toEqual([{ said: 'done' }]);
  });

  test('two at the same time: both end well, and every file is run once', async () => {
    const runs = [world.start(['up']), world.start(['up'])];

    const ends = await Promise.all(runs.map(async ({ ended }) => await ended));

    const refused = ends.filter(({ exitCode }) => exitCode !== 0);
    expect(refused.length).toBeLessThan(2);
    // The one that came in between two statements is told who holds the lock.
    expect(refused.filter(({ stderr }) => !stderr.includes('[job.locked]'))).toEqual([]);
    expect(await world.recorded()).toEqual([1, 2]);
    const { rows } = await world.client.query(
      "select count(*)::int as steps from nightshift.migration_step where kind = 'application' and outcome = 'done'",
    );
    expect(rows).toEqual([{ steps: 4 }]);
  });
});

describe('npm run migrate --database', () => {
  test('the entry of the config and the secret of the function: it logs in as that role', async () => {
    const { host, port, caFile } = cluster.place;
    const [sample] = config.databases;
    const file = join(world.folder, 'config.json');
    writeFileSync(file, JSON.stringify({ databases: [{ ...sample, name: 'shop' }] }));
    const secret = {
      host,
      port,
      dbname: world.dbname,
      username: 'nightshift_migrate',
      password: cluster.passwords.MIGRATE_SECRET_ARN,
    };
    const secrets = await startSecretsServer({
      secrets: {
        'arn:aws:secretsmanager:eu-central-1:111122223333:secret:nightshift/shop/migrate-AbCdEf':
          JSON.stringify(secret),
      },
    });
    const environment = {
      DATABASE_URL: '',
      PGPASSWORD: '',
      PGSSLROOTCERT: caFile,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    };

    const end = await world.run(['up', '--database', 'shop', '--config', file], environment);
    const unproven = await world.run(['up', '--database', 'shop', '--config', file], {
      ...environment,
      PGSSLROOTCERT: '',
    });

    await secrets.stop();
    expect(end).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Now at 2, 0 pending.') });
    expect(end.stderr).toContain(`up of "${world.dbname}" on ${host}:${port} as nightshift_migrate, TLS verify-full`);
    expect(`${end.stdout}${end.stderr}`).not.toContain(secret.password);
    expect(secrets.requests().map(({ secretId }) => secretId)).toEqual(['nightshift/shop/migrate']);
    expect(unproven).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('set PGSSLROOTCERT to it') });
  });
});
