import { type ChildProcess, spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALONE_SECONDS } from '../../functions/backup/snapshot/hold-snapshot.ts';
import { createSnapshotWorld, nextBackupId, ROWS, type SnapshotWorld } from '../support/held-snapshot.ts';
import type { HolderChildRequest } from '../support/holder-child.ts';
import type { OpenedSnapshot } from '../support/open-and-lock.ts';
import { rounds } from '../support/test-size.ts';

const script = fileURLToPath(new URL('../support/holder-child.ts', import.meta.url));

let world: SnapshotWorld;

beforeAll(async () => {
  world = await createSnapshotWorld(2);
});
afterAll(async () => {
  await world.drop();
});

type ChildOptions = Partial<Pick<HolderChildRequest, 'lifeSeconds' | 'outlivesClient' | 'afterwards'>> & {
  port?: number;
};

/** A holder whose client is a process of its own. */
async function startChild(backupId: string, { port, ...more }: ChildOptions = {}) {
  const credentials = world.fresh.credentials(world.login);
  const request: HolderChildRequest = {
    login: {
      ...credentials,
      port: port ?? credentials.port,
      password: world.login.password,
    },
    caFile: world.fresh.tls.caFile,
    backupId,
    tables: await world.tables(),
    lifeSeconds: 600,
    outlivesClient: true,
    afterwards: 'stay',
    ...more,
  };
  const child = spawn(process.execPath, [script, JSON.stringify(request)], { stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { held }: { held: OpenedSnapshot } = JSON.parse(await firstLine(child));
  return { ...held, child, gone };
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('the child has no output');
  for await (const line of createInterface({ input: stdout })) return line;
  throw new Error('the child has ended before it held a snapshot');
}

/** What the whole thing is for: a worker gets every row of the snapshot, and nobody can take them away. */
async function expectHeld(backupId: string, { expected }: OpenedSnapshot): Promise<void> {
  const other = await world.fresh.client();
  await other.query("set lock_timeout = '50ms'");
  const refused = await other.query('truncate app.t1').catch((error: unknown) => error);
  await other.end();

  expect(refused).toMatchObject({ code: '55P03' });
  expect(await world.work(backupId, expected, ['t1', 't2'])).toEqual([ROWS, ROWS]);
}

/** A way to the server that a test can cut: both ends get a reset, as from a host that has lost its memory. */
async function startCuttableWay() {
  const { host, port } = world.fresh.credentials();
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(port, host);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far).pipe(near);
    sockets.push(near, far);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close: () => server.close(),
  };
}

async function sessionsOf(backupId: string): Promise<unknown[]> {
  const { rows } = await world.fresh.query('select from pg_stat_activity where application_name ~ $1', [backupId]);
  return rows;
}

const round = Array.from({ length: rounds }, (_, number) => number);

describe('the client of a holder that outlives it', () => {
  test.each(round)('is killed with -9 (round %i): the snapshot can be imported and TRUNCATE waits', async () => {
    const backupId = nextBackupId();
    const held = await startChild(backupId);
    await sleep(Math.random() * 1_000);
    held.child.kill('SIGKILL');
    await held.gone;
    // Longer than the checks that other sessions of this product ask the server to make.
    await sleep(2_500);

    await expectHeld(backupId, held);

    await world.end(backupId);
    expect(await world.isAlive(backupId)).toBe(false);
  });

  test('exits at once, or its connection is reset: the snapshot is held, and more than one worker can come', async () => {
    const [exited, reset] = [nextBackupId(), nextBackupId()];
    const way = await startCuttableWay();
    const children = await Promise.all([
      startChild(exited, { afterwards: 'exit' }),
      startChild(reset, { port: way.port }),
    ]);
    way.cut();
    await Promise.all(children.map(async ({ gone }) => await gone));
    await sleep(2_500);

    await expectHeld(exited, children[0]);
    await expectHeld(reset, children[1]);

    await world.end(exited);
    expect([await world.isAlive(exited), await world.isAlive(reset)]).toEqual([false, true]);
    await world.end(reset);
    way.close();
  });

  test('is frozen: the snapshot is held for its life, and then the session goes although nobody answers', async () => {
    const backupId = nextBackupId();
    const held = await startChild(backupId, { lifeSeconds: 3 });
    held.child.kill('SIGSTOP');

    await expectHeld(backupId, held);
    const seconds = await world.holderGone(backupId, 30_000);

    expect(seconds).toBeLessThan(7);
    // Its session, with the lock that keeps migrations away, may be idle for 10 s.
    await expect.poll(async () => (await sessionsOf(backupId)).length, { timeout: 15_000 }).toBe(0);
    held.child.kill('SIGKILL');
    await held.gone;
  });

  test('closes its pool, as a function that returns: the snapshot is held', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    await holder.dropClient();

    await expectHeld(backupId, holder);

    expect(await holder.ended).toMatchObject({ code: 'backup.snapshot_lost' });
    await world.end(backupId);
  });
});

describe('a holder that does not outlive its client', () => {
  test('its client is killed with -9: the session is gone within seconds', async () => {
    const backupId = nextBackupId();
    const held = await startChild(backupId, { outlivesClient: false });
    await expectHeld(backupId, held);

    held.child.kill('SIGKILL');

    expect(await world.holderGone(backupId)).toBeLessThan(5);
    await held.gone;
  });
});

describe('the end of a holder', () => {
  test('no worker is seen for the time allowed: it ends by itself; by default within 130 s', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId, { aloneSeconds: 3 });
    const worker = await world.fresh.client(world.login);
    await worker.query(`set application_name = 'nightshift/backup ${backupId}'; begin`);
    await sleep(4_500);
    expect(await world.isAlive(backupId)).toBe(true);
    await worker.end();

    const seconds = await world.holderGone(backupId);

    expect(seconds).toBeGreaterThan(1.5);
    expect(seconds).toBeLessThan(6);
    expect(await holder.ended).toMatchObject({
      code: 'backup.snapshot_lost',
      problem: expect.stringContaining('has ended by itself'),
    });
    // A look takes a second and what the server needs for it.
    expect(ALONE_SECONDS * 1.05).toBeLessThanOrEqual(130);
    await holder.dropClient();
  });

  test('a worker stays for longer than its life: it ends, and the next worker fails', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId, { lifeSeconds: 2 });
    const worker = await world.fresh.client(world.login);
    await worker.query(`set application_name = 'nightshift/backup ${backupId}'; begin`);

    expect(await world.holderGone(backupId)).toBeLessThan(5);

    await holder.dropClient();
    const failure = await world.work(backupId, holder.expected, ['t1']).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'backup.snapshot_lost' });
    await worker.end();
  });

  test.each(['pg_terminate_backend', 'pg_cancel_backend'])(
    'somebody uses %s: it is no holder any more, and its client knows',
    async (how) => {
      const backupId = nextBackupId();
      const holder = await world.hold(backupId);

      await world.fresh.query(`select ${how}($1)`, [holder.processId]);

      expect(await holder.ended).toMatchObject({ code: 'backup.snapshot_lost', cause: expect.any(Error) });
      await world.holderGone(backupId);
      await holder.dropClient();
    },
  );

  test('two backups side by side: one is ended, twice, and the other goes on', async () => {
    const [one, two] = [nextBackupId(), nextBackupId()];
    const holders = [await world.hold(one), await world.hold(two)] as const;

    await world.end(one);
    await world.end(one);

    expect([await world.isAlive(one), await world.isAlive(two)]).toEqual([false, true]);
    await expectHeld(two, holders[1]);
    await world.end(two);
    for (const holder of holders) await holder.dropClient();
  });
});
