// A purge whose session, client, S3 or password goes away in the middle: nothing is half deleted, it is told by name, and the next
// run ends as if nothing had been.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { checkArchive } from '../../../functions/purge/archive/check-archive.ts';
import { systemClock } from '../../../functions/shared/clock.ts';
import { secretCredentials } from '../../../functions/shared/credentials.ts';
import { createDatabase } from '../../../functions/shared/database.ts';
import { createPurgeWorld, type PurgeWorld } from '../../database/purge-world.ts';
import { BUCKET } from '../../support/local-aws.ts';
import type { PurgeChildRequest } from '../../support/purge-child.ts';
import { sessionsGone, waitForRow } from '../../support/what-is-left.ts';
import { closeGate, waitsAtGate } from './gate.ts';

const CHILD = fileURLToPath(new URL('../../support/purge-child.ts', import.meta.url));
const UNAVAILABLE = { status: 503, code: 'ServiceUnavailable' };

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
const count = async (from: string) =>
  (await world.fresh.query<{ count: number }>(`select count(*)::int as count from ${from}`)).rows[0]?.count;
const terminate = async () =>
  await sql(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nightshift/purge' and datname = current_database()",
  );

/** Two rows of app.item for each event, one of app.note for each item. */
async function addFamily() {
  await sql(`
    create table app.item (id int primary key, event_id bigint references app.event (id) on delete cascade);
    create table app.note (id int primary key, item_id int references app.item (id) on delete cascade);
    insert into app.item select n, (n + 1) / 2 from generate_series(1, 200) as n;
    insert into app.note select id, id from app.item;
    create index on app.item (event_id);
    create index on app.note (item_id);
    grant select, delete, update on app.item, app.note to ROLE`);
}

/** All of a family are there, or none. */
async function expectWholeFamilies() {
  const events = (await count('app.event')) ?? 0;
  expect({ items: await count('app.item'), notes: await count('app.note') }).toEqual({
    items: 2 * events,
    notes: 2 * events,
  });
  return events;
}

describe('the server ends the session', () => {
  test.each([
    ['when all children of the batch are deleted and its rows are not', 'event', '97', 100],
    ['when some children of the batch are deleted', 'item', '190', 100],
    ['in a later batch', 'event', '80', 86],
  ])('%s: told by name, no family is torn, the next run ends it', async (_, table, id, left) => {
    await addFamily();
    const gate = await closeGate(world, table, id);
    await world.addPolicy();

    const running = world.purge({ lockTimeoutMs: 20_000 }).catch((error: unknown) => error);
    await waitsAtGate(world);
    await terminate();
    const failure = await running;
    await gate.open();
    const eventsThen = await expectWholeFamilies();
    const { policy } = await world.purge();

    expect(failure).toMatchObject({
      code: 'database.session_lost',
      problem: expect.stringContaining('policy "events": the server ended the session'),
    });
    expect(String(failure)).toContain(`${100 - left} rows of this run were deleted before it`);
    expect(eventsThen).toBe(left);
    expect(policy).toMatchObject({ state: 'finished', rowsDone: 40, rowsLeft: 0 });
    expect(await expectWholeFamilies()).toBe(60);
  });

  test('while an object of the archive is on its way: the archive has each row once in the end', async () => {
    await addFamily();
    await world.addPolicy({ archive: true });
    let puts = 0;
    world.aws.setFault(({ operation, key }) => {
      if (operation !== 'PutObject' || !key.endsWith('.copy.gz')) return undefined;
      puts += 1;
      if (puts === 5) void terminate();
      return undefined;
    });

    await expect(world.purge()).rejects.toMatchObject({ code: 'database.session_lost' });
    await expectWholeFamilies();
    const { policy } = await world.purge();
    const checked = await checkArchive(world.store, policy?.archive?.manifestKey ?? '', {
      clock: systemClock,
      signal: new AbortController().signal,
    });

    expect(policy).toMatchObject({ rowsDone: 40, rowsLeft: 0, archive: { rows: 200 } });
    expect(checked).toMatchObject({ damaged: [], manifest: { totals: { rows: 200 } } });
    expect(await expectWholeFamilies()).toBe(60);
  });
});

test('a slow trigger makes a batch longer than STATEMENT_TIMEOUT_MS: told by name with what to do; with a longer one the next run ends it', async () => {
  await addFamily();
  await sql(`
    create function app.be_slow() returns trigger language plpgsql as $$
    begin perform pg_sleep(0.25); return old; end $$;
    create trigger slow before delete on app.event for each row when (old.id between 90 and 96) execute function app.be_slow()`);
  await world.addPolicy();

  const failure = await world.purge({ settings: { statementTimeoutMs: 1_000 } }).catch((error: unknown) => error);
  const left = await expectWholeFamilies();
  const runs = await world.readRuns();
  const { policy } = await world.purge({ settings: { statementTimeoutMs: 20_000 } });

  expect(failure).toMatchObject({
    code: 'database.statement_failed',
    problem: 'policy "events": a statement was cancelled: canceling statement due to statement timeout',
    hint: expect.stringContaining('raise STATEMENT_TIMEOUT_MS'),
  });
  expect(runs).toMatchObject([{ state: 'failed', rows_done: 100 - left }]);
  expect(policy).toMatchObject({ state: 'finished', rowsDone: 40, rowsLeft: 0 });
  expect(await expectWholeFamilies()).toBe(60);
});

describe('S3 answers 503', () => {
  test('to every put of archived rows: nothing is deleted or recorded; the next run does all of it', async () => {
    await addFamily();
    await world.addPolicy({ archive: true });
    world.aws.setFault(({ operation, key }) =>
      operation === 'PutObject' && key.endsWith('.copy.gz') ? UNAVAILABLE : undefined,
    );

    const failure = await world.purge().catch((error: unknown) => error);
    const left = await expectWholeFamilies();
    const recorded = await count('nightshift.purge_object');
    world.aws.setFault(undefined);
    const { policy } = await world.purge();

    expect(failure).toMatchObject({
      code: 'object_store.failed',
      problem: expect.stringContaining('policy "events": '),
    });
    expect({ left, recorded }).toEqual({ left: 100, recorded: 0 });
    expect(policy).toMatchObject({ rowsDone: 40, rowsLeft: 0, archive: { rows: 200 } });
  });

  test('once to each put: the SDK tries again, and the run does not notice', async () => {
    await world.addPolicy({ archive: true });
    const refused = new Set<string>();
    world.aws.setFault(({ operation, key }) => {
      if (operation !== 'PutObject' || refused.has(key)) return undefined;
      refused.add(key);
      return UNAVAILABLE;
    });

    const { policy } = await world.purge({ batchRows: 40 });

    expect(refused.size).toBeGreaterThan(5);
    expect(policy).toMatchObject({ state: 'finished', rowsDone: 40, archive: { rows: 40 } });
    expect(await world.store.getText(policy?.certificateKey ?? '')).toContain('"complete"');
  });

  test.each(['archive.json', 'certificate.json', 'certificate.html'])(
    'to the put of %s: the rows are gone, the run fails; the next run stores the certificate',
    async (name) => {
      await world.addPolicy({ archive: true });
      world.aws.setFault(({ operation, key }) =>
        operation === 'PutObject' && key.endsWith(name) ? UNAVAILABLE : undefined,
      );

      await expect(world.purge({ batchRows: 40 })).rejects.toMatchObject({ code: 'object_store.failed' });
      const events = await world.countEvents();
      world.aws.setFault(undefined);
      const { policy } = await world.purge();
      const { rows } = await world.fresh.query<{ certificate_key: string | null }>(
        'select certificate_key from nightshift.purge_run order by purge_run_id',
      );

      expect(events).toBe(60);
      expect(policy).toMatchObject({ state: 'finished', rowsLeft: 0 });
      for (const { certificate_key: key } of rows) {
        expect(JSON.parse((await world.store.getText(key ?? '')) ?? '{}')).toMatchObject({ outcome: 'complete' });
        expect(await world.store.getText((key ?? '').replace('.json', '.html'))).toContain('<!doctype html>');
      }
    },
  );
});

describe('the process of purge is killed with -9 while its batch waits for rows that somebody has locked', () => {
  async function killWhileItWaits() {
    await world.addPolicy();
    const owner = await world.fresh.client();
    await owner.query('begin; select from app.event for update');
    const { password, ...login } = world.fresh.credentials(world.role);
    const request: PurgeChildRequest = {
      login: { ...login, password: password.reveal() },
      caFile: inject('cluster').caFile,
      bucket: BUCKET,
      batchRows: 7,
    };
    const child = spawn(process.execPath, [CHILD, JSON.stringify(request)], { stdio: ['ignore', 'ignore', 'inherit'] });
    // For so long it waits only in its last pass.
    const { pid } = await waitForRow<{ pid: number }>(
      world.fresh,
      "select pid from pg_stat_activity where datname = $1 and application_name = 'nightshift/purge' and wait_event_type = 'Lock' and query_start < clock_timestamp() - interval '400 ms'",
      30_000,
    );
    child.kill('SIGKILL');
    await once(child, 'close');
    return { owner, pid };
  }

  test('its session and its locks are gone within seconds; the rows are freed afterwards: nothing is deleted', async () => {
    const { owner, pid } = await killWhileItWaits();

    await sessionsGone(world.fresh, 10_000);
    expect(await count(`pg_locks where pid = ${pid}`)).toBe(0);
    await owner.query('rollback');

    expect(await world.countEvents()).toBe(100);
    const { policy, lines } = await world.purge();
    expect(policy).toMatchObject({ state: 'finished', rowsDone: 40, rowsLeft: 0 });
    expect(lines.map(({ event }) => event)).toContain('purge.run_vanished');
  });

  test('the rows are freed at once, before the server has noticed: the batch is not committed', async () => {
    const { owner } = await killWhileItWaits();

    await owner.query('rollback');
    await sessionsGone(world.fresh, 10_000);

    expect(await world.countEvents()).toBe(100);
    expect((await world.readRuns()).map(({ rows_done: done }) => done)).toEqual([0]);
  });
});

test('the password is rotated between two passes: the next pass reads the secret again and goes on', async () => {
  const arn = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:purge';
  const setSecret = (password: string) => {
    const { host, port, dbname, username } = world.fresh.credentials(world.role);
    world.aws.secrets.setSecret(arn, JSON.stringify({ host, port, dbname, username, password }));
  };
  setSecret(world.role.password);
  // As a warm sandbox keeps them.
  const credentials = secretCredentials(arn);
  const connect = () =>
    createDatabase({
      job: 'purge',
      credentials,
      tls: world.fresh.tls,
      limits: { statementTimeoutMs: 60_000, lockTimeoutMs: 300, idleInTransactionTimeoutMs: 60_000 },
      maxConnections: 2,
      rowSecurity: 'off',
    });
  const reads = () => world.aws.secrets.requests().filter(({ secretId }) => secretId === arn).length;
  await world.addPolicy();
  const stop = new AbortController();

  const first = await world.purge({ connection: connect(), signal: stop.signal, onBatch: () => stop.abort() });
  await sql("alter role ROLE password 'rotated-in-this-test'");
  const refused = await world.purge({ connection: connect() }).catch((error: unknown) => error);
  setSecret('rotated-in-this-test');
  const second = await world.purge({ connection: connect() });
  await sql(`alter role ROLE password '${world.role.password}'`);

  expect(first.policy).toMatchObject({ state: 'stopped', rowsDone: 7 });
  // The server has the new password before the secret has it.
  expect(String(refused)).toContain('refused the password of role');
  expect(second.policy).toMatchObject({ state: 'finished', rowsDone: 40, rowsLeft: 0, series: first.policy?.series });
  expect(reads()).toBe(3);
});
