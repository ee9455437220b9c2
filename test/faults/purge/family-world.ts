// Events past retention with everything that goes with them, is changed with them or keeps them; read as COPY text, so that each
// row can be counted. With a process that purges them and can be killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, inject } from 'vitest';
import { type ArchiveManifest, parseArchiveManifest } from '../../../functions/purge/archive/archive-manifest.ts';
import { JobFailure } from '../../../functions/shared/job-failure.ts';
import { readSqlFile } from '../../../functions/shared/sql-files.ts';
import { createPurgeWorld, DATABASE } from '../../database/purge-world.ts';
import { BUCKET } from '../../support/local-aws.ts';
import type { PurgeChildRequest } from '../../support/purge-child.ts';

/** The tables whose rows go, the one whose rows are changed, and two that nothing may touch. */
export const TABLES = ['event', 'item', 'detail', 'note', 'invoice', 'customer'] as const;
export type Table = (typeof TABLES)[number];
export type Lines = Record<Table, string[]>;

const CHILD = fileURLToPath(new URL('../../support/purge-child.ts', import.meta.url));

/** Of the events: what the policy covers and nothing keeps. */
const COVERED = "at < now() - interval '60 days' and kind <> 'keep' and id not in (5, 7)";
const CONDITIONS: Readonly<Record<Table, string>> = {
  event: COVERED,
  item: `event_id in (select id from app.event where ${COVERED})`,
  detail: `item_id in (select id from app.item where event_id in (select id from app.event where ${COVERED}))`,
  note: `event_id in (select id from app.event where ${COVERED})`,
  invoice: 'false',
  customer: 'false',
};

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when it is about to begin. */
  readonly ready: Promise<void>;
  /** Everything it has said after that, when it is gone. */
  readonly ended: Promise<string>;
}

/** `events` rows, of which four of five are past retention; each has two items, three details and a note. */
export async function createFamilyWorld({ events }: { events: number }) {
  const world = await createPurgeWorld();
  const children: ChildProcess[] = [];
  const reader = world.fresh.database('purge');

  async function reset({ archive = true } = {}): Promise<void> {
    await world.reset();
    await world.fresh.query(`
      drop table app.event;
      create table app.customer (id int primary key, name text);
      create table app.event (
        id int primary key, customer_id int references app.customer (id), at timestamptz, kind text, body text, raw bytea
      );
      create index on app.event (at);
      create index on app.event (customer_id);
      create table app.item (id int primary key, event_id int not null references app.event (id) on delete cascade, price numeric);
      create index on app.item (event_id);
      create table app.detail (item_id int references app.item (id) on delete cascade, part int, note text, primary key (item_id, part));
      create table app.note (id int primary key, event_id int references app.event (id) on delete set null, text text);
      create index on app.note (event_id);
      create table app.invoice (id int primary key, event_id int references app.event (id));
      create index on app.invoice (event_id);
      insert into app.customer select n, 'customer ' || n from generate_series(1, 10) n;
      insert into app.event
        select n, 1 + n % 10, now() - make_interval(days => case when n % 5 = 0 and n <> 5 then 1 else 61 + n % 300 end),
          case when n % 17 = 0 then 'keep' else 'plain' end,
          case n % 4 when 0 then null when 1 then E'tab\\t, \\\\ and \\n' when 2 then '\\N' else 'é€😀' end,
          decode(lpad(to_hex(n), 8, '0'), 'hex')
        from generate_series(1, ${events}) n;
      insert into app.item select 2 * n + k, n, n + 0.10 * k from generate_series(1, ${events}) n, generate_series(0, 1) k;
      insert into app.detail select id, part, repeat('x', id % 50) from app.item, generate_series(1, 2) part where part = 1 or id % 2 = 0;
      insert into app.note select id, id, 'note of ' || id from app.event;
      insert into app.invoice values (1, 7);
      grant select, delete, update on all tables in schema app to ${world.role.user};
      analyze app.event, app.item, app.detail, app.note`);
    await world.addPolicy({ column: 'at', retention: '60 days', predicate: "kind <> 'keep'", archive, batchRows: 10 });
    // An item of event 5, so that the event has to stay.
    await world.addHold('11', 'item');
  }

  /**
   * Lets the deletion of the items of an event wait for a lock, until what is answered is called; the details of the whole
   * batch are gone by then.
   */
  async function holdUp(event: number): Promise<() => Promise<void>> {
    await world.fresh.query(`
      create function app.hold_up() returns trigger language plpgsql as $$
        begin perform pg_advisory_xact_lock(4242); return old; end $$;
      create trigger hold_up before delete on app.item for each row when (old.id = ${2 * event}) execute function app.hold_up()`);
    const client = await world.fresh.client();
    await client.query('select pg_advisory_lock(4242)');
    return async () => await client.end();
  }

  /** One before which several batches come. */
  async function lateEvent(): Promise<number> {
    const { rows } = await world.fresh.query<{ id: number }>(
      `select id from app.event where ${COVERED} order by at desc offset 15 limit 1`,
    );
    return rows[0]?.id ?? 0;
  }

  /** The process of the server whose batch waits for a lock; waits until there is one. */
  async function waitingBatch(): Promise<number> {
    const until = performance.now() + 20_000;
    while (performance.now() < until) {
      const { rows } = await world.fresh.query<{ pid: number }>(
        "select pid from pg_stat_activity where usename = $1 and wait_event_type = 'Lock'",
        [world.role.user],
      );
      if (rows[0]) return rows[0].pid;
      await sleep(20);
    }
    throw new Error('no batch waits for a lock');
  }

  /** Those that the policy covers, or the others, or all. */
  async function lines(which: 'covered' | 'others' | 'all'): Promise<Lines> {
    const found: Partial<Lines> = {};
    await reader.withSession(async (session) => {
      await session.query(readSqlFile('purge/session.sql'));
      for (const table of TABLES) {
        const condition = { covered: CONDITIONS[table], others: `(${CONDITIONS[table]}) is not true`, all: 'true' }[
          which
        ];
        const pieces: Buffer[] = [];
        await session.copyOut(`copy (select * from app.${table} where ${condition}) to stdout`, {
          take: (piece) => void pieces.push(Buffer.from(piece)),
          signal: new AbortController().signal,
        });
        found[table] = linesOf(Buffer.concat(pieces));
      }
    });
    return found as Lines;
  }

  function startChild(more: Partial<PurgeChildRequest> = {}): Child {
    const { host, port, caFile } = inject('cluster');
    const { user: username, password } = world.role;
    const request: PurgeChildRequest = {
      login: { host, port, dbname: world.fresh.name, username, password },
      caFile,
      bucket: BUCKET,
      database: DATABASE,
      executionId: 'execution-1',
      lockTimeoutMs: 5_000,
      idleInTransactionTimeoutMs: 60_000,
      ...more,
    };
    const child = spawn(process.execPath, [CHILD, JSON.stringify(request)], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let said = '';
    const ready = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
        if (said.includes('ready\n')) resolve();
      });
      child.once('close', () => resolve());
    });
    const ended = once(child, 'close').then(() => said.replace('ready\n', '').trim());
    return { process: child, ready, ended };
  }

  /** As the workflow does: pass after pass of the same execution, and again when a killed run still has its session. */
  async function purgeToEnd(executionId = 'execution-1') {
    const until = performance.now() + 30_000;
    for (;;) {
      expect(performance.now()).toBeLessThan(until);
      try {
        const done = await world.purge({ event: { executionId }, lockTimeoutMs: 5_000 });
        if (done.result.complete) return done;
      } catch (error) {
        if (!(error instanceof JobFailure && error.code === 'job.locked')) throw error;
      }
      await sleep(100);
    }
  }

  /** The archives of all series as their manifests list them, by table. */
  async function archived(): Promise<Record<string, string[]>> {
    const { rows } = await world.fresh.query<{ certificate_key: string }>(
      'select distinct certificate_key from nightshift.purge_run order by 1',
    );
    const found: Record<string, string[]> = {};
    for (const { certificate_key: key } of rows) {
      const { manifestKey } = JSON.parse((await world.store.getText(key)) ?? '{}').archive ?? {};
      if (manifestKey === undefined) continue;
      const manifest: ArchiveManifest = parseArchiveManifest(
        manifestKey,
        (await world.store.getText(manifestKey)) ?? '',
      );
      for (const { name, objects } of manifest.tables) {
        const texts = objects.flatMap((object) => {
          const rowsOf = linesOf(gunzipSync(readFileSync(join(world.aws.bucketFolder, object.key))));
          expect(rowsOf).toHaveLength(object.rows);
          return rowsOf;
        });
        found[name] = [...(found[name] ?? []), ...texts].toSorted();
      }
    }
    return found;
  }

  async function close(): Promise<void> {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await world.close();
  }

  return { ...world, reset, holdUp, lateEvent, waitingBatch, lines, startChild, purgeToEnd, archived, close };
}

export type FamilyWorld = Awaited<ReturnType<typeof createFamilyWorld>>;

function linesOf(text: Buffer): string[] {
  return text.toString('utf8').split('\n').slice(0, -1).toSorted();
}
