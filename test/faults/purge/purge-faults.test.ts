// What fails in the middle of a batch: the session, a statement that takes too long, S3, and the client itself. Nothing is half deleted,
// the failure has a name, and the next run comes to its end.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { purgeKeys } from '../../../functions/shared/backup-layout.ts';
import { kill } from '../../database/migrate-world.ts';
import { DATABASE } from '../../database/purge-world.ts';
import { expectAllGoneOnce, expectNothingElseGone, readBefore } from './expect-gone-once.ts';
import { createFamilyWorld, type FamilyWorld } from './family-world.ts';

let world: FamilyWorld;
beforeAll(async () => {
  world = await createFamilyWorld({ events: 60 });
});
const blockers: (() => Promise<void>)[] = [];
beforeEach(async () => {
  world.aws.setFault(undefined);
  await world.reset();
});
// One that failed in between must not keep the next one waiting.
afterEach(async () => {
  for (const letGo of blockers.splice(0)) await letGo();
});
afterAll(async () => await world.close());

const unavailable = { status: 503, code: 'ServiceUnavailable' };
const query = async <Row extends object>(sql: string, values: unknown[] = []) =>
  (await world.fresh.query<Row>(sql, values)).rows;

/** Until what is answered is called, or until the end of the test. */
async function lockEvent(id: number | undefined): Promise<() => Promise<void>> {
  const client = await world.fresh.client();
  await client.query('begin');
  await client.query('select from app.event where id = $1 for update', [id]);
  const letGo = async () => await client.end();
  blockers.push(letGo);
  return letGo;
}

/** Each event has two items, three details and its note, or nothing of it is left; answers how many there are. */
async function expectWholeFamilies(): Promise<number> {
  const torn = await query(`
    select event.id, count(distinct item.id) as items, count(detail) as details, count(distinct note.id) as notes
    from app.event left join app.item on item.event_id = event.id left join app.detail on detail.item_id = item.id
      left join app.note on note.event_id = event.id
    group by event.id having (count(distinct item.id), count(detail), count(distinct note.id)) <> (2, 3, 1)`);
  expect(torn).toEqual([]);
  const [left] = await query<{ events: number; unlinked: number }>(
    'select (select count(*)::int from app.event) as events, (select count(*)::int from app.note where event_id is null) as unlinked',
  );
  expect(left?.unlinked).toBe(60 - (left?.events ?? 0));
  return left?.events ?? 0;
}

const isGone = async (pid: number) => (await query('select from pg_stat_activity where pid = $1', [pid])).length === 0;

describe.each([true, false])('a batch that fails in the middle (archive before delete: %s)', (archive) => {
  test('its session is ended: told by name, nothing is half deleted, the next run completes', async () => {
    await world.reset({ archive });
    const before = await readBefore(world);
    const goOn = await world.holdUp(await world.lateEvent());
    const running = world.purge({ lockTimeoutMs: 20_000 }).catch((error: unknown) => error);
    await query('select pg_terminate_backend($1)', [await world.waitingBatch()]);

    const failure = await running;
    await goOn();

    expect(failure).toMatchObject({
      code: 'database.session_lost',
      problem: expect.stringContaining('policy "events"'),
      safeState: expect.stringContaining('The current batch was rolled back'),
    });
    const left = await expectWholeFamilies();
    expect(left).toBeLessThan(60);
    expect(await expectNothingElseGone(world, before)).toBe(left);
    await world.purgeToEnd();
    await expectAllGoneOnce(world, before, { archive });
  });

  test('a statement takes longer than it may: told by name, nothing is half deleted, the next run completes', async () => {
    await world.reset({ archive });
    const before = await readBefore(world);
    const goOn = await world.holdUp(await world.lateEvent());

    const failure = await world
      .purge({ lockTimeoutMs: 20_000, settings: { statementTimeoutMs: 500 } })
      .catch((error: unknown) => error);
    await goOn();

    expect(failure).toMatchObject({
      code: 'database.statement_failed',
      problem: expect.stringContaining('policy "events": a statement was cancelled'),
    });
    const left = await expectWholeFamilies();
    expect(left).toBeLessThan(60);
    expect(await world.readRuns()).toMatchObject([{ state: 'failed', rows_done: 60 - left }]);
    await world.purgeToEnd();
    await expectAllGoneOnce(world, before, { archive });
  });
});

describe('S3 answers 503', () => {
  test('to every object of the archive: nothing is deleted, the next run completes', async () => {
    const before = await readBefore(world);
    world.aws.setFault(({ operation, key }) =>
      operation === 'PutObject' && key.includes('purge-archive') ? unavailable : undefined,
    );

    const failure = await world.purge().catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'object_store.failed', problem: expect.stringContaining('policy "events"') });
    expect(await world.lines('all')).toEqual(await allOf(before));
    expect(await world.readRuns()).toMatchObject([{ state: 'failed', rows_done: 0 }]);
    world.aws.setFault(undefined);
    await world.purgeToEnd();
    await expectAllGoneOnce(world, before);
  });

  test('to the certificate: the rows are gone and recorded, the next run writes the certificate', async () => {
    const before = await readBefore(world);
    world.aws.setFault(({ key }) => (key.endsWith('/certificate.json') ? unavailable : undefined));

    const failure = await world.purge().catch((error: unknown) => error);
    world.aws.setFault(undefined);

    expect(failure).toMatchObject({ code: 'object_store.failed' });
    const done = before.covered.event.length;
    const [run] = await query<{ series: string }>(
      'select purge_run_id::text as series from nightshift.purge_run where certificate_key is null',
    );
    expect(await world.readRuns()).toMatchObject([{ state: 'finished', rows_done: done, rows_left: 2 }]);
    const { policy } = await world.purgeToEnd();
    expect(policy?.warnings).toContainEqual(`the certificate of series ${run?.series} was stored only now`);
    expect(await world.store.head(purgeKeys(DATABASE, 'events', run?.series ?? '').certificate)).toBeDefined();
    await expectAllGoneOnce(world, before);
  });
});

describe('S3 is slow', () => {
  test('slower than the server lets a transaction be idle: a lost session, nothing is half deleted, the next run completes', async () => {
    const before = await readBefore(world);
    world.aws.setFault(({ operation, key }) =>
      operation === 'PutObject' && /event\/0*2\.copy/.test(key) ? { delayMs: 1_600 } : undefined,
    );

    const child = world.startChild({ idleInTransactionTimeoutMs: 700 });

    expect(await child.ended).toBe('database.session_lost');
    world.aws.setFault(undefined);
    expect(await expectWholeFamilies()).toBe(50);
    await world.purgeToEnd();
    await expectAllGoneOnce(world, before);
  });
});

async function allOf({ covered, others }: Awaited<ReturnType<typeof readBefore>>) {
  const all = structuredClone(others);
  for (const table of Object.keys(all) as (keyof typeof all)[])
    all[table] = [...all[table], ...covered[table]].toSorted();
  return all;
}

describe('a client that vanishes', () => {
  test('killed with -9 while its batch waits for a row: within 3 s the batch is rolled back, although the row stays locked', async () => {
    const before = await readBefore(world);
    const [first, second] = await query<{ id: number }>(
      `select id from app.event where at < now() - interval '60 days' and kind = 'plain' and id not in (5, 7) order by at, id limit 2`,
    );
    const letGoFirst = await lockEvent(first?.id);
    const letGoSecond = await lockEvent(second?.id);
    const child = world.startChild({ lockTimeoutMs: 60_000 });
    const pid = await world.waitingBatch();
    await letGoFirst();
    const lockable = async () =>
      await query('select id from app.event where id = $1 for update skip locked', [first?.id]);
    await expect
      .poll(lockable, { timeout: 10_000, message: 'the batch locks the first, waits for the second' })
      .toEqual([]);
    await world.waitingBatch();

    await kill(child.process);
    const from = performance.now();
    await expect.poll(async () => await isGone(pid), { timeout: 10_000, interval: 50 }).toBe(true);
    const waitedMs = performance.now() - from;

    expect(await lockable()).toEqual([{ id: first?.id }]);
    expect(await expectWholeFamilies()).toBe(before.others.event.length + 2);
    expect(waitedMs).toBeLessThan(3_000);
    await letGoSecond();
    await world.purgeToEnd();
    await expectAllGoneOnce(world, before);
  });

  test('stopped, and silent within its transaction: the server ends it, the batch is rolled back, the next run completes', async () => {
    const before = await readBefore(world);
    const goOn = await world.holdUp(await world.lateEvent());
    const child = world.startChild({ lockTimeoutMs: 60_000, idleInTransactionTimeoutMs: 1_000 });
    const pid = await world.waitingBatch();
    child.process.kill('SIGSTOP');
    await goOn();

    await expect.poll(async () => await isGone(pid), { timeout: 15_000, interval: 50 }).toBe(true);
    const left = await expectWholeFamilies();
    expect(left).toBeLessThan(60);
    await world.purgeToEnd('execution-2');
    child.process.kill('SIGCONT');

    expect(await child.ended).toBe('database.session_lost');
    await expectAllGoneOnce(world, before);
  });
});
