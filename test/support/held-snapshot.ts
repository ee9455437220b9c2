// A database with a backup role and some tables, and sessions that play the parts of a backup in it: the holder of the
// snapshot, its workers, and the DDL of somebody else.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { BackupPlan } from '../../functions/backup/plan/plan-contract.ts';
import { endHolder, holdSnapshot, isHolderAlive } from '../../functions/backup/snapshot/hold-snapshot.ts';
import { importSnapshot, lockTable } from '../../functions/backup/snapshot/import-snapshot.ts';
import type { Database } from '../../functions/shared/database.ts';
import type { JobFailure } from '../../functions/shared/job-failure.ts';
import { quoteIdentifier, quoteLiteral } from '../../functions/shared/quote-identifier.ts';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { type HeldTable, never, type OpenedSnapshot, openAndLock } from './open-and-lock.ts';

export interface Holder extends OpenedSnapshot {
  backupId: string;
  ended: Promise<JobFailure>;
  processId: number;
  /** Lets the function return: its pool is closed, and with it the client of the holder. */
  dropClient(): Promise<void>;
}

/** Rows of each table when the world is made. */
export const ROWS = 1_000;

let backups = 0;

/** A backup id of its own for each test, as sessions of one must not be seen by another. */
export function nextBackupId(): string {
  backups += 1;
  return `20260101T${String(backups).padStart(6, '0')}Z`;
}

export type SnapshotWorld = Awaited<ReturnType<typeof createSnapshotWorld>>;

/** Tables app.t1 … with 1,000 rows each, and app.parts with one partition; with a role of its own, or that of another world. */
export async function createSnapshotWorld(howMany = 4, known?: { user: string; password: string }) {
  const fresh = await createFreshDatabase();
  const login = known ?? {
    user: `backup_${randomBytes(5).toString('hex')}`,
    password: randomBytes(12).toString('hex'),
  };
  if (!known) {
    await fresh.query(
      `create role ${quoteIdentifier(login.user)} login bypassrls password ${quoteLiteral(login.password)}`,
    );
    await fresh.query(`grant pg_read_all_data to ${quoteIdentifier(login.user)}`);
  }
  await fresh.query('create schema app');
  for (let number = 1; number <= howMany; number += 1) await createTable(fresh, `t${number}`);
  await fresh.query('create table app.parts (id int, body text) partition by range (id)');
  await fresh.query('create table app.part1 partition of app.parts for values from (0) to (1000000)');
  await fresh.query(`insert into app.parts select n, 'row ' || n from generate_series(1, ${ROWS}) n`);
  const control = fresh.database('backup', login);
  const pools: Database[] = [];
  const clients: Client[] = [];
  const drops: (() => void)[] = [];

  async function tables(): Promise<HeldTable[]> {
    const { rows } = await control.withSession(
      async (one) =>
        await one.query<HeldTable>(
          "select c.oid::int as oid, 'app' as schema, relname as name from pg_class c where relnamespace = 'app'::regnamespace and relkind = 'r' order by relname",
        ),
    );
    return rows;
  }

  /** A holder of a fresh snapshot on all tables. */
  async function hold(
    backupId: string,
    more: { lifeSeconds?: number; aloneSeconds?: number; outlivesClient?: boolean } = {},
  ): Promise<Holder> {
    const pool = fresh.database('backup', login);
    pools.push(pool);
    const all = await tables();
    const { promise: dropped, resolve: drop } = Promise.withResolvers<void>();
    drops.push(drop);
    const { promise: held, resolve, reject } = Promise.withResolvers<Omit<Holder, 'dropClient'>>();
    const session = pool
      .withSession(async (one) => {
        const opened = await openAndLock(one, backupId, all);
        const options = { lifeSeconds: 600, outlivesClient: true, ...more };
        const { ended } = await holdSnapshot(one, { ...opened, ...options, backupId, source: control });
        resolve({ ...opened, backupId, ended, processId: one.processId });
        await dropped;
      })
      .catch(reject);
    const dropClient = async () => {
      drop();
      await session;
      await pool.close();
    };
    return { ...(await held), dropClient };
  }

  /** A worker that locks the tables one after the other; gives the rows of each as it sees them. */
  async function work(backupId: string, expected: BackupPlan['server'], names: readonly string[]): Promise<number[]> {
    const pool = fresh.database('backup', login);
    try {
      const all = await tables();
      return await pool.withSession(async (session) => {
        await importSnapshot(session, { backupId, expected, signal: never });
        const counts: number[] = [];
        for (const name of names) {
          const table = all.find((one) => one.name === name) ?? { oid: 0, schema: 'app', name };
          await lockTable(session, table);
          const { rows } = await session.query<{ rows: number }>(
            `select count(*)::int as rows from only app.${quoteIdentifier(name)}`,
          );
          counts.push(rows[0]?.rows ?? -1);
        }
        await session.query('commit');
        return counts;
      });
    } finally {
      await pool.close();
    }
  }

  /** Somebody else's statement that is to wait; resolves when it does, with its end still to come. */
  async function queue(sql: string): Promise<{ ended: Promise<unknown>; processId: number; hasEnded(): boolean }> {
    const client = await fresh.client();
    clients.push(client);
    const processId = Number((await client.query('select pg_backend_pid() as pid')).rows[0]?.pid);
    let isOver = false;
    const ended = client
      .query(sql)
      .catch((error: unknown) => error)
      .finally(() => {
        isOver = true;
      });
    await waitsForLock(processId, () => isOver);
    return { ended, processId, hasEnded: () => isOver };
  }

  async function waitsForLock(processId: number, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const { rowCount } = await control.withSession(
        async (one) => await one.query('select from pg_locks where pid = $1 and not granted', [processId]),
      );
      if (rowCount === 1) return;
      await sleep(10);
    }
  }

  const end = async (backupId: string) => await control.withSession(async (one) => await endHolder(one, backupId));
  const isAlive = async (backupId: string) =>
    await control.withSession(async (one) => await isHolderAlive(one, backupId));

  return {
    fresh,
    login,
    control,
    tables,
    hold,
    work,
    queue,
    end,
    isAlive,
    /** Waits until no holder of the backup is there; gives how long it took in seconds. */
    holderGone: async (backupId: string, withinMs = 20_000) => {
      const from = performance.now();
      while (await isAlive(backupId)) {
        if (performance.now() - from > withinMs) throw new Error(`the holder of ${backupId} lives on`);
        await sleep(50);
      }
      return (performance.now() - from) / 1_000;
    },
    recreate: async (name: string) => {
      await fresh.query(`drop table if exists app.${quoteIdentifier(name)}`);
      await createTable(fresh, name);
    },
    drop: async () => {
      for (const client of clients) await client.end().catch(() => {});
      // Of a test that has failed half-way.
      for (const drop of drops) drop();
      for (const pool of pools) await pool.close();
      await fresh.query(`drop owned by ${quoteIdentifier(login.user)}`);
      await fresh.drop();
      if (known) return;
      const other = await createFreshDatabase();
      await other.query(`drop role ${quoteIdentifier(login.user)}`);
      await other.drop();
    },
  };
}

async function createTable(fresh: FreshDatabase, name: string): Promise<void> {
  await fresh.query(`create table app.${quoteIdentifier(name)} (id int, body text)`);
  await fresh.query(`create index ${quoteIdentifier(`${name}_by_id`)} on app.${quoteIdentifier(name)} (id)`);
  await fresh.query(
    `insert into app.${quoteIdentifier(name)} select n, 'row ' || n from generate_series(1, ${ROWS}) n`,
  );
}
