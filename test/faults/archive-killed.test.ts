// Archive before delete in a process that is killed with -9: each row is archived once or still in the table, never neither and
// never both, and the next run ends the archive whole, without what the killed one has left.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { checkArchive } from '../../functions/purge/archive/check-archive.ts';
import { emptyOrphans } from '../../functions/purge/archive/empty-orphans.ts';
import { writeArchiveManifest } from '../../functions/purge/archive/write-archive-manifest.ts';
import { purgeKeys } from '../../functions/shared/backup-layout.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { type ArchiveWorld, createArchiveWorld } from '../database/archive-world.ts';
import { kill } from '../database/migrate-world.ts';
import { archiveAll } from '../support/archive-batch.ts';
import type { ArchiveChildRequest } from '../support/archive-child.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { rounds } from '../support/test-size.ts';

const ROWS = 1_000;
const BATCH = 40;
const ALL = Array.from({ length: ROWS }, (_, n) => `${n + 1}\tnote ${n + 1}`);

let aws: LocalAws;
let world: ArchiveWorld;
let child: ChildProcess;
let seriesId = 0;

beforeAll(async () => {
  aws = await startLocalAws();
  world = await createArchiveWorld();
});
beforeEach(async () => {
  aws.setFault(undefined);
  seriesId += 1;
  await world.reset();
  await world.fresh.query(
    `create table app.event (id int primary key, note text); insert into app.event select n, 'note ' || n from generate_series(1, ${ROWS}) n`,
  );
});
afterEach(async () => await kill(child));
afterAll(async () => {
  await world.close();
  await aws.stop();
});

function startChild(): void {
  const { host, port, caFile } = inject('cluster');
  const { user: username, password } = world.role;
  const login = { host, port, dbname: world.fresh.name, username, password };
  const request: ArchiveChildRequest = { login, caFile, bucket: BUCKET, seriesId: String(seriesId), batchRows: BATCH };
  const script = fileURLToPath(new URL('../support/archive-child.ts', import.meta.url));
  child = spawn(process.execPath, [script, JSON.stringify(request)], { stdio: 'ignore' });
}

const serverHasNoticed = async () =>
  await expect
    .poll(
      async () =>
        (
          await world.fresh.query("select from pg_stat_activity where usename = $1 and state <> 'idle'", [
            world.role.user,
          ])
        ).rowCount,
      { timeout: 20_000 },
    )
    .toBe(0);

const linesOf = (key: string) =>
  gunzipSync(readFileSync(join(aws.bucketFolder, key)))
    .toString()
    .split('\n')
    .slice(0, -1);

/** Every row is in the archive or in the table, and nowhere twice; answers how many are archived. */
async function expectEachRowOnce(): Promise<number> {
  const archived = (await world.recorded()).flatMap((object) => linesOf(object.object_key));
  const { rows } = await world.fresh.query<{ line: string }>("select id || e'\\t' || note as line from app.event");
  const lines = [...archived, ...rows.map(({ line }) => line)];
  expect(lines.toSorted()).toEqual(ALL.toSorted());
  return archived.length;
}

/** What the next run does; then the archive holds every row, and nothing else lies beside it. */
async function expectNextRunEndsWhole(): Promise<void> {
  const store = createObjectStore(BUCKET);
  const series = seriesOfTest();
  const keys = purgeKeys('shop', 'events', series.seriesId);
  const result = await world.database.withSession(async (session) => {
    await archiveAll(session, { series, store, batchRows: BATCH * 2 });
    const written = await writeArchiveManifest(session, { series, store });
    await emptyOrphans(session, { series, store });
    return written;
  });
  expect(result).toMatchObject({ rows: ROWS, manifestKey: keys.archiveManifest });
  expect(await expectEachRowOnce()).toBe(ROWS);
  const options = { clock: systemClock, signal: new AbortController().signal };
  expect((await checkArchive(store, keys.archiveManifest, options)).damaged).toEqual([]);
  const all = readdirSync(join(aws.bucketFolder, keys.archive, 'app.event')).flatMap((name) =>
    linesOf(`${keys.archive}app.event/${name}`),
  );
  expect(all.toSorted()).toEqual(ALL.toSorted());
}

const seriesOfTest = () => ({ database: 'shop', policy: 'events', seriesId: String(seriesId) });
const emptied = async () =>
  await world.database.withSession(
    async (session) => await emptyOrphans(session, { series: seriesOfTest(), store: createObjectStore(BUCKET) }),
  );

describe('archive before delete, killed with -9', () => {
  let wholeMs = 0;

  test('nobody kills it: every row is archived', async () => {
    const from = performance.now();
    startChild();
    await once(child, 'exit');
    wholeMs = performance.now() - from;

    expect(child.exitCode).toBe(0);
    expect(await expectEachRowOnce()).toBe(ROWS);
    await expectNextRunEndsWhole();
  });

  test.each(Array.from({ length: rounds }, (_, round) => round))(
    'at any moment (round %i): each row is archived or there, and the next run ends whole',
    async (round) => {
      startChild();
      await sleep((wholeMs * (round + Math.random())) / rounds);
      await kill(child);
      await serverHasNoticed();

      expect((await expectEachRowOnce()) % BATCH).toBe(0);
      await expectNextRunEndsWhole();
    },
  );

  test.each([
    ['before the put is done', 'PutObject', 'drop', 0],
    ['after the put is done', 'PutObject', 'drop-answer', 1],
    ['while it is read back', 'GetObject', 'hang', 1],
  ] as const)(
    '%s: the rows of the batch are there, what was stored counts as nothing, and the next run ends whole',
    async (_, operation, fault, orphans) => {
      const third = purgeKeys('shop', 'events', String(seriesId)).archivedRows('app', 'event', 3);
      const stored = join(aws.bucketFolder, third);
      aws.setFault((request) => {
        if (request.operation !== operation || request.key !== third) return undefined;
        // Killed here, the child might not have sent the bytes of its put yet.
        if (fault !== 'drop-answer') child.kill('SIGKILL');
        return fault;
      });
      startChild();
      const exited = once(child, 'exit');
      if (fault === 'drop-answer') {
        await expect.poll(() => existsSync(stored), { timeout: 20_000, interval: 5 }).toBe(true);
        child.kill('SIGKILL');
      }
      await exited;
      await serverHasNoticed();
      aws.setFault(undefined);

      expect(child.signalCode).toBe('SIGKILL');
      expect(await expectEachRowOnce()).toBe(2 * BATCH);
      expect(readdirSync(join(aws.bucketFolder, third, '..'))).toHaveLength(2 + orphans);
      // As at an end of the series that is not followed by another try, because the rows are held by then.
      expect(await emptied()).toBe(orphans);
      if (orphans > 0) expect(linesOf(third)).toEqual([]);
      await expectNextRunEndsWhole();
    },
  );

  test('while the server commits: the batch is whole or not at all, and the next run ends whole', async () => {
    await world.fresh.query(`
      create function app.wait() returns trigger language plpgsql as $$ begin if new.number = 3 then perform pg_sleep(1); end if; return null; end $$;
      create constraint trigger wait after insert on nightshift.purge_object deferrable initially deferred for each row execute function app.wait();
      grant execute on function app.wait() to public`);
    startChild();
    const isCommitting = async () =>
      (
        await world.fresh.query(
          "select from pg_stat_activity where usename = $1 and query = 'commit' and state = 'active' and wait_event = 'PgSleep'",
          [world.role.user],
        )
      ).rowCount;
    await expect.poll(isCommitting, { timeout: 20_000, interval: 20 }).toBe(1);

    await kill(child);
    await serverHasNoticed();

    expect([2 * BATCH, 3 * BATCH]).toContain(await expectEachRowOnce());
    await world.fresh.query('drop function app.wait() cascade');
    await expectNextRunEndsWhole();
  });
});
