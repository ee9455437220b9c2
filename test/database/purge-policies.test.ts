// What purge deletes and what it leaves, on a real server: nothing to do, dry run, interrupted, twice, locked rows,
// referenced rows, legal holds.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPurgeWorld, type PurgeWorld } from './purge-world.ts';

describe('runPurge', () => {
  let world: PurgeWorld;
  beforeAll(async () => {
    world = await createPurgeWorld();
  });
  beforeEach(async () => await world.reset());
  afterAll(async () => await world.close());

  test('no policy: nothing is deleted and the run says so', async () => {
    const { result, metrics, lines } = await world.purge();

    expect(result).toMatchObject({ dryRun: false, complete: true, waitSeconds: 0, rowsDone: 0, policies: [] });
    expect(metrics).toEqual({ PurgedRows: 0 });
    expect(lines.map(({ event }) => event)).toContain('purge.no_policy');
    expect(await world.countEvents()).toBe(100);
  });

  test('rows are past retention: they go in batches, the newer ones stay, and the run is written down', async () => {
    await world.addPolicy();

    const { result, policy, metrics } = await world.purge({ event: { requestedBy: 'ada' } });

    expect(policy).toMatchObject({ state: 'finished', rowsDone: 40, rowsLeft: 0, oldest: null, batches: 6 });
    expect(result).toMatchObject({ complete: true, rowsDone: 40 });
    expect(metrics).toEqual({ PurgedRows: 40, PurgeBatchMs: policy?.slowestBatchMs });
    expect(await world.countEvents()).toBe(60);
    expect(await world.readRuns()).toEqual([
      {
        policy: 'events',
        state: 'finished',
        batches: 6,
        rows_done: 40,
        rows_held: 0,
        rows_referenced: 0,
        rows_left: 0,
        requested_by: 'ada',
        error: null,
      },
    ]);
  });

  test('purge runs twice: the second run finds nothing to do', async () => {
    await world.addPolicy();
    await world.purge();

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ state: 'finished', rowsDone: 0, rowsLeft: 0, batches: 0 });
    expect(await world.countEvents()).toBe(60);
  });

  test('a dry run: rows, oldest and batches are told, nothing is deleted or written', async () => {
    await world.addPolicy({ predicate: "kind = 'plain'" });
    await world.addHold('100');

    const { policy, metrics } = await world.purge({ event: { dryRun: true } });

    expect(policy).toMatchObject({
      state: 'planned',
      plan: { rows: 40, estimatedBatches: 6, children: [] },
      rowsDone: 0,
      skipped: { held: 1, referenced: 0, other: 0 },
    });
    expect(Date.now() - Date.parse(policy?.oldest ?? '')).toBeGreaterThan(99 * 86_400_000);
    expect(metrics).toEqual({});
    expect(await world.countEvents()).toBe(100);
    expect(await world.readRuns()).toEqual([]);
  });

  test('the predicate keeps some rows: only those that fit it go', async () => {
    await world.fresh.query("update app.event set kind = 'kept' where id > 90");
    await world.addPolicy({ predicate: "kind <> 'kept'" });

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 30, rowsLeft: 0 });
    expect(await world.countEvents()).toBe(70);
  });

  test.each([
    ['it closes its bracket and opens another', 'true) or (true'],
    ['it is not boolean', 'id'],
    ['it is two expressions', "kind = 'a', kind = 'b'"],
    ['it names no column of the table', 'missing > 1'],
    ['it is an aggregate', 'count(*) > 1'],
    ['it has a parameter', 'kind = $1'],
  ])('a predicate cannot be one condition because %s: refused, nothing is deleted', async (_, predicate) => {
    await world.addPolicy({ predicate });

    await expect(world.purge()).rejects.toMatchObject({ code: 'purge.refused' });

    expect(await world.countEvents()).toBe(100);
  });

  test('the run is out of time after two batches: it stops between batches, the next run goes on after the cursor', async () => {
    await world.addPolicy();
    const controller = new AbortController();
    let batches = 0;

    const first = await world.purge({
      signal: controller.signal,
      onBatch: () => {
        batches += 1;
        if (batches === 2) controller.abort();
      },
    });
    const second = await world.purge();

    expect(first.result).toMatchObject({ complete: false, rowsDone: 14 });
    expect(first.policy).toMatchObject({ state: 'stopped', rowsLeft: null });
    expect(second.policy).toMatchObject({ state: 'finished', rowsDone: 40, rowsLeft: 0, batches: 6 });
    expect(await world.countEvents()).toBe(60);
    expect((await world.readRuns()).map(({ state, rows_done }) => [state, rows_done])).toEqual([
      ['stopped', 14],
      ['finished', 26],
    ]);
  });

  test('an unfinished run left old rows behind its cursor: the sweep from the start finds them', async () => {
    await world.addPolicy();
    const controller = new AbortController();
    await world.purge({ signal: controller.signal, onBatch: () => controller.abort() });
    await world.fresh.query(`insert into app.event ("Created at") values (now() - interval '500 days')`);

    const { policy } = await world.purge();

    // Five batches from the cursor on, then one of the sweep; from the start it would be five in all.
    expect(policy).toMatchObject({ state: 'finished', rowsDone: 41, rowsLeft: 0, batches: 7 });
    expect(await world.countEvents()).toBe(60);
  });

  test('another session has rows locked: the others go, the locked ones are counted; released, the next run takes them', async () => {
    await world.addPolicy();
    const client = await world.fresh.client();
    await client.query('begin');
    await client.query('select from app.event where id in (99, 100) for update');

    const locked = await world.purge();
    await client.query('rollback');
    const released = await world.purge();

    expect(locked.policy).toMatchObject({
      state: 'finished',
      rowsDone: 38,
      rowsLeft: 2,
      skipped: { held: 0, referenced: 0, other: 2 },
    });
    expect(released.policy).toMatchObject({ rowsDone: 2, rowsLeft: 0 });
  });

  test('a row is locked only until the sweep: the sweep waits for it and deletes it in the same run', async () => {
    await world.addPolicy();
    const client = await world.fresh.client();
    await client.query('begin');
    await client.query('select from app.event where id = 100 for update');
    setTimeout(() => void client.query('rollback'), 400);

    const { policy } = await world.purge({ lockTimeoutMs: 5_000 });

    expect(policy).toMatchObject({ rowsDone: 40, rowsLeft: 0, skipped: { other: 0 } });
  });

  test.each([['no action'], ['restrict'], ['no action deferrable initially deferred']])(
    'rows are still referenced (on delete %s): they stay and are counted, all others go',
    async (rule) => {
      await world.addPolicy();
      await world.fresh.query(`
        create table app.note (id int primary key, event_id bigint references app.event (id) on delete ${rule});
        insert into app.note values (1, 70), (2, 85), (3, 100)`);

      const { policy } = await world.purge();

      expect(policy).toMatchObject({
        state: 'finished',
        rowsDone: 37,
        rowsLeft: 3,
        skipped: { held: 0, referenced: 3, other: 0 },
      });
      expect(await world.countEvents()).toBe(63);
      expect((await world.readRuns())[0]).toMatchObject({ rows_referenced: 3, rows_left: 3 });
    },
  );

  test('rows are under a legal hold: they stay and are counted; the hold is released: they go', async () => {
    await world.addPolicy();
    await world.addHold('061');
    await world.addHold('100');
    await world.fresh.query('create table app.other (id int primary key)');
    await world.addHold('80', 'other');

    const held = await world.purge();
    await world.fresh.query("update nightshift.legal_hold set released_at = clock_timestamp(), released_by = 'judge'");
    const released = await world.purge();

    expect(held.policy).toMatchObject({ rowsDone: 38, rowsLeft: 2, skipped: { held: 2, referenced: 0, other: 0 } });
    expect(released.policy).toMatchObject({ rowsDone: 2, rowsLeft: 0 });
  });

  test('the whole table is held: nothing is deleted, all of it is counted as held', async () => {
    await world.addPolicy();
    await world.addHold(null);

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 0, rowsLeft: 40, skipped: { held: 40, referenced: 0, other: 0 } });
    expect(await world.countEvents()).toBe(100);
  });

  test('a hold is placed while a batch runs: its INSERT returns after the batch, and the held row outlives the run', async () => {
    await world.addPolicy();
    const blocker = await world.blockTable();
    const running = world.purge({ lockTimeoutMs: 20_000 });
    await expect.poll(world.waiters).toBe(1);
    const placing = world.addHold('61');
    await expect.poll(world.waiters, { message: 'the INSERT waits for the batch' }).toBe(2);
    await blocker.query('rollback');

    await placing;
    const { policy } = await running;

    expect(policy).toMatchObject({ rowsDone: 39, skipped: { held: 1, referenced: 0, other: 0 } });
    expect((await world.fresh.query('select from app.event where id = 61')).rowCount).toBe(1);
  });

  test.each([
    ['the table has gone', 'alter table app.event rename to events_of_yore', 'does not exist'],
    ['the column has gone', 'alter table app.event rename "Created at" to at', 'does not exist'],
    ['the column is no time any more', 'alter table app.event alter "Created at" type text', 'has type text'],
    ['the right to delete is missing', 'revoke delete on app.event from ROLE', 'lacks delete'],
    ['the right to lock rows is missing', 'revoke update ("Created at") on app.event from ROLE', 'lacks update ("id")'],
    ['row level security hides rows', 'alter table app.event enable row level security', 'row level security'],
  ])('%s: the policy is refused with the reason, nothing is deleted', async (what, prepare, reason) => {
    await world.addPolicy();
    await world.fresh.query(prepare.replace('ROLE', world.role.user));

    await expect(world.purge()).rejects.toMatchObject({
      code: 'purge.refused',
      problem: expect.stringContaining(reason),
    });

    if (what !== 'the table has gone') expect(await world.countEvents()).toBe(100);
    expect(await world.readRuns()).toEqual([]);
  });

  test.each([
    ['timestamp', 'timestamp'],
    ['date', 'date'],
  ])('the time is kept as %s and the key has two columns with odd values: exactly the old rows go', async (_, type) => {
    await world.fresh.query(`
      create table app.visit (at ${type} not null, site char(8) not null, "Who" text not null, primary key (site, "Who"));
      insert into app.visit
        select (now() at time zone 'utc' - make_interval(days => age))::${type}, 'a''b', E'{"x,\\\\"}' || age || E'\\n' from generate_series(1, 100) as age;
      grant select, delete, update (at) on app.visit to ${world.role.user}`);
    await world.addPolicy({ table: 'visit', column: 'at' });

    const { policy } = await world.purge();
    const { rows } = await world.fresh.query<{ left: number; oldest: number }>(
      "select count(*)::int as left, max((now() at time zone 'utc')::date - at::date)::int as oldest from app.visit",
    );

    expect(policy).toMatchObject({ rowsLeft: 0, state: 'finished' });
    expect(rows[0]?.left).toBe(100 - (policy?.rowsDone ?? 0));
    expect(rows[0]?.oldest).toBeGreaterThanOrEqual(60);
    expect(rows[0]?.oldest).toBeLessThanOrEqual(61);
  });

  test('the table is partitioned: rows of all partitions go', async () => {
    await world.fresh.query(`
      create table app.measure (id bigint, at timestamptz, primary key (id, at)) partition by range (at);
      create table app.measure_old partition of app.measure for values from (minvalue) to (now() - interval '80 days');
      create table app.measure_new partition of app.measure default;
      create index on app.measure (at);
      insert into app.measure select age, now() - make_interval(days => age) from generate_series(1, 100) as age;
      grant select, delete, update (at) on app.measure to ${world.role.user}`);
    await world.addPolicy({ table: 'measure', column: 'at' });

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 40, rowsLeft: 0 });
    expect((await world.fresh.query('select from app.measure')).rowCount).toBe(60);
  });

  test('somebody has said stop: no batch is begun, the result tells who and why; lifted, the next run goes on', async () => {
    await world.addPolicy();
    await world.fresh.query(
      "insert into nightshift.purge_stop (reason, placed_by) values ('the audit is here', 'ada')",
    );

    const stopped = await world.purge();
    await world.fresh.query("update nightshift.purge_stop set lifted_at = now(), lifted_by = 'ada'");
    const lifted = await world.purge();

    expect(stopped.result).toMatchObject({ complete: false, waitSeconds: 300, rowsDone: 0 });
    expect(stopped.policy?.pause?.reason).toMatch(/^stopped by ada since .*: the audit is here$/);
    expect(lifted.policy).toMatchObject({ state: 'finished', rowsDone: 40 });
  });

  test('the same execution again: what has finished in it is told and not begun again', async () => {
    await world.addPolicy();
    const event = { executionId: 'night-1' };

    const first = await world.purge({ event });
    await world.fresh.query('update app.event set "Created at" = now() - interval \'1 year\' where id = 1');
    const again = await world.purge({ event });
    const next = await world.purge({ event: { executionId: 'night-2' } });

    expect(again.policy).toMatchObject({ rowsDone: 40, certificateKey: first.policy?.certificateKey });
    expect(again.result.rowsDone).toBe(0);
    expect(next.policy).toMatchObject({ rowsDone: 1 });
  });

  test('a plan is made and the run is bound to it: the policy has changed since, so nothing is deleted', async () => {
    await world.addPolicy();
    const { result } = await world.purge({ event: { dryRun: true } });
    const plan = result.planHash ?? '';
    await world.fresh.query("update nightshift.retention_policy set retention = '1 day'");

    await expect(world.purge({ event: { plan } })).rejects.toMatchObject({ code: 'purge.refused' });
    expect(await world.countEvents()).toBe(100);
    await world.fresh.query("update nightshift.retention_policy set retention = '60 days 12 hours'");
    const again = await world.purge({ event: { dryRun: true } });
    const run = await world.purge({ event: { plan: again.result.planHash ?? '' } });

    // Its version has counted both changes.
    expect(again.result.planHash).not.toBe(plan);
    expect(run.policy).toMatchObject({ rowsDone: 40, version: 3 });
  });

  test('row level security that a policy opens for the role: all old rows go', async () => {
    await world.fresh.query(`
      alter table app.event enable row level security;
      create policy all_rows on app.event for all to ${world.role.user} using (true)`);
    await world.addPolicy();

    expect((await world.purge()).policy).toMatchObject({ rowsDone: 40, rowsLeft: 0 });
    await world.fresh.query(`create policy not_all on app.event as restrictive for select using (id <> 1)`);
    await expect(world.purge()).rejects.toMatchObject({ problem: expect.stringContaining('row level security') });
  });

  test('no time, time without end or since for ever: no row of these is ever past retention', async () => {
    await world.fresh.query(`
      alter table app.event alter "Created at" drop not null;
      update app.event set "Created at" = null where id = 100;
      update app.event set "Created at" = '-infinity' where id = 99;
      update app.event set "Created at" = 'infinity' where id = 98`);
    await world.addPolicy();

    const plan = await world.purge({ event: { dryRun: true } });
    const { policy } = await world.purge();

    expect(plan.policy?.plan).toMatchObject({ rows: 37, undated: 3 });
    expect(policy).toMatchObject({ rowsDone: 37, rowsLeft: 0 });
  });

  test('no key at all: rows are told apart by their place, which the result says', async () => {
    await world.fresh.query('alter table app.event drop constraint event_pkey');
    await world.addPolicy();

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 40, batches: 6 });
    expect(policy?.warnings).toContainEqual(expect.stringContaining('no primary key'));
  });

  test('heirs of a table: their old rows go too', async () => {
    await world.fresh.query(`
      create table app.heir (extra text) inherits (app.event);
      insert into app.heir (id, "Created at") select id, "Created at" from app.event`);
    await world.addPolicy();

    expect((await world.purge()).policy).toMatchObject({ rowsDone: 80, rowsLeft: 0 });
  });

  test('classified personal data without a policy: found', async () => {
    await world.fresh.query(`
      insert into nightshift.data_classification (schema_name, table_name, column_name, classification, pii_category, encryption_required)
      values ('app', 'event', 'kind', 'CONFIDENTIAL', 'behaviour', false), ('app', 'visit', 'who', 'CONFIDENTIAL', 'identity', false)`);
    await world.addPolicy();

    expect((await world.purge({ event: { dryRun: true } })).result.piiWithoutPolicy).toEqual([
      { table: 'app.visit', columns: ['who'] },
    ]);
  });
});
