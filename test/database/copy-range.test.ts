import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { copyRange } from '../../functions/backup/copy/copy-range.ts';
import { createUploadBudget } from '../../functions/backup/copy/upload-budget.ts';
import type { CopiedRange, PlannedRange, PlannedTable } from '../../functions/backup/plan/plan-contract.ts';
import { tailMember } from '../../functions/shared/archive-data/codec.ts';
import { createMemberReader } from '../../functions/shared/archive-data/member-reader.ts';
import type { Database, DatabaseSession } from '../../functions/shared/database.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { quoteQualified } from '../../functions/shared/quote-identifier.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';

const run = promisify(execFile);
const MIB = 1_048_576;
let fresh: FreshDatabase;
let source: Database;
let aws: LocalAws;
let store: ObjectStore;

beforeAll(async () => {
  aws = await startLocalAws();
  store = createObjectStore(BUCKET);
  fresh = await createFreshDatabase();
  source = fresh.database('backup');
  await fresh.query(`
    create table large (id int, body text) with (autovacuum_enabled = off);
    insert into large select n, md5(n::text) || md5((-n)::text) || md5((n * 7)::text) from generate_series(1, 220000) n;
    create schema "Odd ""S""";
    create table "Odd ""S"""."T, é" ("a(b) " int, gone int, g int generated always as (1) stored, "c, d" text);
    alter table "Odd ""S"""."T, é" drop column gone;
    insert into "Odd ""S"""."T, é" ("a(b) ", "c, d") values (1, E'tab\\t newline\\n back\\\\slash'), (2, null), (3, 'é');
    create table child () inherits ("Odd ""S"""."T, é");
    insert into child ("a(b) ", "c, d") values (99, 'of the child');
    create table nocols ();
    insert into nocols default values;
    insert into nocols default values;
    create table bare (id int);
    create table config (id int, mine boolean);
    insert into config values (1, true), (2, false), (3, true);`);
});

afterEach(() => aws.setFault(undefined));

afterAll(async () => {
  await fresh.drop();
  await aws.stop();
});

function planned(schema: string, name: string, columns: string[], more: Partial<PlannedTable> = {}): PlannedTable {
  return {
    schema,
    name,
    columns,
    oid: 1,
    relfilenode: 1,
    blocks: 1,
    dumpId: 7,
    key: `db/b/archive/${schema}-${name}-${Math.random()}.dat`,
    uploadId: null,
    condition: null,
    rowSecurity: 'off',
    partBytes: 8 * MIB,
    ranges: [whole],
    ...more,
  };
}

const whole: PlannedRange = { blocks: [0, null], firstPart: 1, parts: 10_000, estimatedBytes: 0 };

async function inSnapshot<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T> {
  return await source.withTransaction(use, 'begin isolation level repeatable read read only');
}

async function copy(
  session: DatabaseSession,
  table: PlannedTable,
  range = whole,
  { codec = 'gzip', signal = new AbortController().signal }: { codec?: 'gzip' | 'zstd'; signal?: AbortSignal } = {},
): Promise<CopiedRange> {
  const budget = createUploadBudget();
  return await copyRange({ session, store, plan: { codec }, table, range, budget, signal, onProgress: () => {} });
}

async function decode(codec: 'gzip' | 'zstd', stored: Buffer): Promise<string> {
  const texts: Buffer[] = [];
  const reader = createMemberReader({ codec, take: (text) => void texts.push(Buffer.from(text)) });
  await reader.write(stored);
  await reader.end();
  return Buffer.concat(texts).toString();
}

/** What psql gives for a COPY: a program that shares nothing with ours. */
async function copyByPsql(statement: string): Promise<string> {
  const { clientDirectory } = inject('cluster');
  const { host, port, dbname, username, password } = fresh.credentials();
  const { stdout } = await run(join(clientDirectory, 'psql'), ['-X', '-q', '-c', statement], {
    env: {
      PGHOST: host,
      PGPORT: String(port),
      PGDATABASE: dbname,
      PGUSER: username,
      PGPASSWORD: password.reveal(),
      PGSSLMODE: 'require',
    },
    maxBuffer: 200 * MIB,
  });
  return stdout;
}

const objectOf = (table: PlannedTable) => readFileSync(join(aws.bucketFolder, table.key));

async function isGone(processId: number): Promise<boolean> {
  for (let waited = 0; waited < 2_000; waited += 50) {
    const { rowCount } = await fresh.query('select from pg_stat_activity where pid = $1', [processId]);
    if (rowCount === 0) return true;
    await sleep(50);
  }
  return false;
}

async function openUploads(table: PlannedTable): Promise<number> {
  let open = 0;
  for await (const { key } of store.listUploads('')) if (key === table.key) open += 1;
  return open;
}

describe.each(['gzip', 'zstd'] as const)('copyRange with %s', (codec) => {
  test('a table in three ranges, made in any order: one object with every row once, in the order of the table', async () => {
    const table = planned('public', 'large', ['id', 'body']);
    table.uploadId = await store.createUpload(table.key, 'application/octet-stream');
    const blocks = Number((await fresh.query("select pg_relation_size('large') / 8192 as blocks")).rows[0].blocks);
    // The middle one is small: less than 5 MiB, so that it is padded.
    const cuts: [number, number | null][] = [
      [0, 2_500],
      [2_500, 2_510],
      [2_510, null],
    ];
    expect(blocks).toBeGreaterThan(2_600);
    const ranges = cuts.map((part, index) => ({ ...whole, blocks: part, firstPart: 1 + index * 3_000, parts: 3_000 }));

    const copied = await inSnapshot(async (session) => {
      const made: CopiedRange[] = [];
      for (const range of ranges.toReversed()) made.unshift(await copy(session, table, range, { codec }));
      return made;
    });
    const parts = copied.flatMap(({ upload }) => upload?.parts ?? []);
    await store.completeUpload(table.key, table.uploadId, parts);

    const object = objectOf(table);
    const expected = await copyByPsql('copy large to stdout');
    expect(await decode(codec, object)).toBe(`${expected}\\.\n\n\n`);
    expect(copied.reduce((sum, { rows }) => sum + rows, 0)).toBe(220_000);
    let offset = 0;
    for (const { length, sha256, crc32: crc, bytes } of copied) {
      const stored = object.subarray(offset, offset + length);
      const text = await decode(codec, stored);
      expect(createHash('sha256').update(stored).digest('hex')).toBe(sha256);
      expect(crc32(text).toString(16).padStart(8, '0')).toBe(crc);
      expect(Buffer.byteLength(text)).toBe(bytes);
      offset += length;
    }
    expect(object.subarray(offset)).toEqual(tailMember(codec));
    expect(parts.slice(0, -1).every(({ bytes }) => bytes >= 5 * MIB)).toBe(true);
  });

  test('the same range a second time: byte-identical parts under the same numbers', async () => {
    const table = planned('public', 'large', ['id', 'body'], { partBytes: 5 * MIB });
    table.uploadId = await store.createUpload(table.key, 'application/octet-stream');
    const range: PlannedRange = { ...whole, blocks: [10, 1_500], firstPart: 40, parts: 50 };

    const first = await inSnapshot(async (session) => await copy(session, table, range, { codec }));
    const second = await inSnapshot(async (session) => await copy(session, table, range, { codec }));

    expect(second).toEqual(first);
    expect(first.upload?.parts.length).toBeGreaterThan(0);
    await store.abortUpload(table.key, table.uploadId);
  });

  test('a small table with odd names: one put in the columns of the TOC, without the rows of its children', async () => {
    const table = planned('Odd "S"', 'T, é', ['a(b) ', 'c, d']);

    const copied = await inSnapshot(async (session) => await copy(session, table, whole, { codec }));

    const expected = await copyByPsql(
      `copy (select "a(b) ", "c, d" from only ${quoteQualified('Odd "S"', 'T, é')}) to stdout`,
    );
    const object = objectOf(table);
    expect(await decode(codec, object)).toBe(`${expected}\\.\n\n\n`);
    expect(copied).toMatchObject({ rows: 3, upload: null, object: { key: table.key, bytes: object.length } });
    expect(copied.length).toBe(object.length - tailMember(codec).length);
  });
});

describe('copyRange', () => {
  test('tables without columns, without rows and with the condition of an extension', async () => {
    const nocols = planned('public', 'nocols', []);
    const bare = planned('public', 'bare', ['id']);
    const config = planned('public', 'config', ['id'], { condition: 'WHERE mine' });

    const copied = await inSnapshot(async (session) => [
      await copy(session, nocols),
      await copy(session, bare),
      await copy(session, config),
    ]);

    expect(copied.map(({ rows }) => rows)).toEqual([2, 0, 2]);
    expect(await decode('gzip', objectOf(nocols))).toBe('\n\n\\.\n\n\n');
    expect(objectOf(bare)).toEqual(tailMember('gzip'));
    expect(copied[1]).toMatchObject({ bytes: 0, length: 0, crc32: '00000000' });
    expect(await decode('gzip', objectOf(config))).toBe('1\n3\n\\.\n\n\n');
  });

  test('a larger table whose plan has no upload: the worker begins one', async () => {
    const table = planned('public', 'large', ['id', 'body'], { partBytes: 5 * MIB });

    const { upload, object, rows } = await inSnapshot(async (session) => await copy(session, table));
    await store.completeUpload(table.key, upload?.uploadId ?? '', upload?.parts ?? []);

    expect({ rows, object }).toEqual({ rows: 220_000, object: null });
    expect(await decode('gzip', objectOf(table))).toBe(`${await copyByPsql('copy large to stdout')}\\.\n\n\n`);
  });

  test('a worker is started a second time after its put: the object is accepted, unless it is another one', async () => {
    const table = planned('public', 'config', ['id', 'mine']);
    const first = await inSnapshot(async (session) => await copy(session, table));
    const again = await inSnapshot(async (session) => await copy(session, table));
    const other = planned('public', 'config', ['id'], { key: table.key });

    const refused = inSnapshot(async (session) => await copy(session, other));

    expect(again).toEqual(first);
    await expect(refused).rejects.toMatchObject({ code: 'object_store.exists' });
  });

  test('the answer to the put is lost: the retry finds the object and the backup goes on', async () => {
    const table = planned('public', 'config', ['id', 'mine']);
    let puts = 0;
    aws.setFault(({ operation }) => {
      if (operation !== 'PutObject') return undefined;
      puts += 1;
      return puts === 1 ? 'drop-answer' : undefined;
    });

    const copied = await inSnapshot(async (session) => await copy(session, table));

    expect(puts).toBe(2);
    expect(copied.object).toMatchObject({ bytes: objectOf(table).length });
    expect(copied.object?.etag).not.toBe('');
  });

  test('S3 refuses a part: the range fails, its session is gone and no upload is left', async () => {
    const table = planned('public', 'large', ['id', 'body'], { partBytes: 5 * MIB });
    aws.setFault(({ operation }) => (operation === 'UploadPart' ? { status: 403, code: 'AccessDenied' } : undefined));
    let processId = 0;

    const failing = inSnapshot(async (session) => {
      processId = session.processId;
      return await copy(session, table);
    });

    await expect(failing).rejects.toMatchObject({ code: 'object_store.failed' });
    expect(await isGone(processId)).toBe(true);
    expect(await openUploads(table)).toBe(0);
  });

  test('aborted while parts are on their way: it rejects at once with the reason, and nothing is left', async () => {
    const table = planned('public', 'large', ['id', 'body'], { partBytes: 5 * MIB });
    const cancel = new AbortController();
    aws.setFault(({ operation }) => {
      if (operation === 'UploadPart') cancel.abort(new Error('out of time'));
      return undefined;
    });
    let processId = 0;

    const failing = inSnapshot(async (session) => {
      processId = session.processId;
      return await copy(session, table, whole, { signal: cancel.signal });
    });

    await expect(failing).rejects.toThrow('out of time');
    expect(await isGone(processId)).toBe(true);
    expect(await openUploads(table)).toBe(0);
  });
});
