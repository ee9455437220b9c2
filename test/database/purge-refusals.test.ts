// What purge refuses or breaks off, on a real server: nothing is deleted, or what was deleted is written down.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPurgeWorld, type PurgeWorld } from './purge-world.ts';

describe('runPurge', () => {
  let world: PurgeWorld;
  beforeAll(async () => {
    world = await createPurgeWorld();
  });
  beforeEach(async () => await world.reset());
  afterAll(async () => await world.close());

  test('a policy is disabled: it is passed over; named, it is refused', async () => {
    await world.addPolicy({ enabled: false });

    const { result } = await world.purge();

    expect(result.policies).toEqual([]);
    await expect(world.purge({ event: { policyId: 'events' } })).rejects.toMatchObject({ code: 'purge.refused' });
    await expect(world.purge({ event: { policyId: 'misspelt' } })).rejects.toThrow('"misspelt" does not exist');
    expect(await world.countEvents()).toBe(100);
  });

  test.each([
    ['renamed', 'alter table app.paper rename to document'],
    ['dropped', 'drop table app.paper'],
  ])('the table of a hold in force was %s: nothing is deleted until the hold is released', async (_, sql) => {
    await world.addPolicy();
    await world.fresh.query('create table app.paper (id bigint primary key)');
    await world.addHold('1', 'paper');
    await world.fresh.query(sql);

    await expect(world.purge()).rejects.toMatchObject({
      code: 'purge.refused',
      problem: expect.stringContaining('is on table "app.paper", which does not exist (any more)'),
    });
    await expect(world.purge({ event: { dryRun: true } })).rejects.toMatchObject({ code: 'purge.refused' });
    expect(await world.countEvents()).toBe(100);
    await world.fresh.query(
      "update nightshift.legal_hold set released_at = now() + interval '1 s', released_by = 'ada'",
    );
    expect((await world.purge()).policy).toMatchObject({ rowsDone: 40 });
  });

  test('somebody closes the record of a run: the next batch is rolled back, so that each row that is gone is counted', async () => {
    await world.addPolicy({ batchRows: 1 });
    await world.fresh.query(`
      create function app.close() returns trigger language plpgsql as $$
      begin
        update nightshift.purge_run set state = 'stopped', finished_at = clock_timestamp() where state = 'running';
        return null;
      end
      $$;
      create trigger close after update on nightshift.purge_run
        for each row when (new.batches = 5 and old.batches = 4) execute function app.close();
      grant execute on function app.close() to public`);

    await expect(world.purge()).rejects.toMatchObject({
      code: 'purge.refused',
      problem: expect.stringContaining('is not open'),
    });
    await world.fresh.query('drop trigger close on nightshift.purge_run');
    expect(await world.countEvents()).toBe(95);
    expect(await world.readRuns()).toMatchObject([{ state: 'stopped', rows_done: 5 }]);
  });

  test('the server ends the session in the middle: the run throws, its batches stay counted, the next run closes it and goes on', async () => {
    await world.addPolicy({ batchRows: 1 });
    let batches = 0;
    const running = world.purge({
      onBatch: async () => {
        batches += 1;
        if (batches === 5) {
          await world.fresh.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nightshift/purge' and datname = current_database()",
          );
        }
      },
    });

    await expect(running).rejects.toMatchObject({ code: 'database.session_lost' });
    const [vanished] = await world.readRuns();
    const left = (await world.countEvents()) ?? 0;
    const { policy, lines } = await world.purge();

    expect(vanished).toMatchObject({ state: 'running', rows_done: 100 - left });
    expect(left).toBeLessThanOrEqual(95);
    expect(policy).toMatchObject({ state: 'finished', rowsDone: 40, rowsLeft: 0 });
    expect(lines.map(({ event }) => event)).toContain('purge.run_vanished');
    expect((await world.readRuns())[0]).toMatchObject({ state: 'failed', error: 'the session of the run vanished' });
  });

  test('a second purge beside a running one: refused with the holder named, and the first finishes', async () => {
    await world.addPolicy();
    const blocker = await world.blockTable();
    const first = world.purge({ lockTimeoutMs: 20_000 });
    await expect.poll(world.waiters).toBe(1);

    const second = await world.purge().catch((error: unknown) => error);
    await blocker.query('rollback');
    const { policy } = await first;

    expect(second).toMatchObject({ code: 'job.locked', problem: expect.stringContaining('nightshift/purge') });
    expect(policy).toMatchObject({ state: 'finished', rowsDone: 40 });
  });

  test('a hold names a key that no row can have: refused, because what it means to hold cannot be told', async () => {
    await world.addPolicy();
    await world.addHold('order 66');

    await expect(world.purge()).rejects.toMatchObject({ code: 'purge.refused' });

    expect(await world.countEvents()).toBe(100);
    expect(JSON.stringify(await world.readRuns())).not.toContain('order 66');
  });

  test('a policy cannot run: refused by name, the other policies still run', async () => {
    await world.addPolicy();
    await world.fresh.query('create table app.gone (at timestamptz)');
    await world.addPolicy({ name: 'of-nothing', table: 'gone', column: 'at' });
    await world.fresh.query('drop table app.gone');

    const failure = await world.purge().catch((error: unknown) => error);

    expect(failure).toMatchObject({
      code: 'purge.refused',
      problem: 'policy "of-nothing": table "app.gone" does not exist',
    });
    expect(String(failure)).toContain('1 other policies were carried out');
    expect(await world.countEvents()).toBe(60);
  });

  test('schema nightshift is missing: refused with what sets it up', async () => {
    await world.fresh.query('alter schema nightshift rename to elsewhere');

    const failure = await world.purge().catch((error: unknown) => error);
    await world.fresh.query('alter schema elsewhere rename to nightshift');

    expect(failure).toMatchObject({ code: 'purge.refused', hint: expect.stringContaining('bootstrap') });
  });
});
