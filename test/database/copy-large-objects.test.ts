import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { copyLargeObjects } from '../../functions/backup/copy/copy-large-objects.ts';
import { createUploadBudget } from '../../functions/backup/copy/upload-budget.ts';
import type { CopiedLargeObject } from '../../functions/backup/plan/plan-contract.ts';
import type { Database } from '../../functions/shared/database.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { quoteIdentifier, quoteLiteral } from '../../functions/shared/quote-identifier.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';

const MIB = 1_048_576;
const role = `backup_${randomBytes(5).toString('hex')}`;
const large = randomBytes(15 * MIB);
let fresh: FreshDatabase;
let source: Database;
let aws: LocalAws;
let store: ObjectStore;
/** What is in the objects, by OID, as the server's own lo_get reads it. */
const contents = new Map<number, Buffer>();
let largeOid = 0;

beforeAll(async () => {
  aws = await startLocalAws();
  store = createObjectStore(BUCKET);
  fresh = await createFreshDatabase();
  const password = randomBytes(12).toString('hex');
  await fresh.query(`create role ${quoteIdentifier(role)} login password ${quoteLiteral(password)}`);
  // Without a right on any large object: lo_get would be refused.
  await fresh.query(`grant pg_read_all_data to ${quoteIdentifier(role)}`);
  source = fresh.database('backup', { user: role, password });
  await fresh.query(`
    select lo_create(0);
    select lo_from_bytea(0, 'one');
    select lo_from_bytea(0, convert_to(repeat('a page', 2000), 'UTF8'));
    select lo_put(lo_create(0), 5000000, 'behind a hole');
    select lo_put(l, 3000, 'a second piece') from (select lo_from_bytea(0, 'a first piece') as l) made;
    select lo_from_bytea(0, convert_to(n::text, 'UTF8')) from generate_series(1, 150) n;`);
  const made = await fresh.query('select lo_from_bytea(0, $1) as oid', [large]);
  largeOid = Number(made.rows[0].oid);
  const { rows } = await fresh.query('select oid::text, lo_get(oid) as content from pg_largeobject_metadata');
  for (const { oid, content } of rows) contents.set(Number(oid), content);
});

afterEach(() => aws.setFault(undefined));

afterAll(async () => {
  await fresh.query(`drop owned by ${quoteIdentifier(role)}`);
  await fresh.drop();
  await aws.stop();
});

let backups = 0;
const nextBackup = () => `20261122T0200${String((backups += 1)).padStart(2, '0')}Z`;

async function copy(
  backupId: string,
  { codec = 'gzip', oids = [...contents.keys()] }: { codec?: 'gzip' | 'zstd'; oids?: number[] } = {},
): Promise<CopiedLargeObject[]> {
  return await source.withTransaction(
    async (session) =>
      await copyLargeObjects({
        session,
        store,
        plan: { database: 'db', backupId, codec },
        batch: { oids, estimatedBytes: 0 },
        budget: createUploadBudget(),
        signal: new AbortController().signal,
        onProgress: () => {},
      }),
    'begin isolation level repeatable read read only',
  );
}

async function openUploads(): Promise<string[]> {
  const open: string[] = [];
  for await (const { key } of store.listUploads('db/')) open.push(key);
  return open;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('copyLargeObjects', () => {
  test.each(['gzip', 'zstd'] as const)(
    '%s: every object is stored with its holes as zeros, read by a role without a right on it',
    async (codec) => {
      const backupId = nextBackup();

      const copied = await copy(backupId, { codec });

      expect(copied.map(({ oid }) => oid)).toEqual([...contents.keys()].toSorted((a, b) => a - b));
      for (const { oid, bytes, sha256: hash, object } of copied) {
        expect(object.key).toBe(`db/${backupId}/archive/blob_${oid}.dat.${codec === 'gzip' ? 'gz' : 'zst'}`);
        const stored = readFileSync(join(aws.bucketFolder, object.key));
        const content = codec === 'gzip' ? gunzipSync(stored) : zstdDecompressSync(stored);
        expect(content.equals(contents.get(oid) ?? Buffer.from('not known'))).toBe(true);
        expect({ bytes, hash }).toEqual({ bytes: content.length, hash: sha256(content) });
        expect(object).toMatchObject({ bytes: stored.length, sha256: sha256(stored) });
      }
    },
  );

  test('a batch is copied a second time: the objects are accepted and no upload stays open', async () => {
    const backupId = nextBackup();
    const first = await copy(backupId);

    const again = await copy(backupId);

    expect(again.map(({ object }) => ({ ...object, etag: '' }))).toEqual(
      first.map(({ object }) => ({ ...object, etag: '' })),
    );
    expect(await openUploads()).toEqual([]);
  });

  test('the answer to the completion is lost: the object is found by its listing', async () => {
    let completions = 0;
    aws.setFault(({ operation }) => {
      if (operation !== 'CompleteMultipartUpload') return undefined;
      completions += 1;
      return completions === 1 ? 'drop-answer' : undefined;
    });

    const [copied] = await copy(nextBackup(), { oids: [largeOid] });

    expect(copied).toMatchObject({ oid: largeOid, bytes: large.length, sha256: sha256(large) });
    expect(copied?.object.bytes).toBeGreaterThan(large.length);
  });

  test('S3 refuses one of the puts: the batch fails and no upload stays open', async () => {
    aws.setFault(({ operation, key }) =>
      operation === 'UploadPart' || key.includes(`blob_${[...contents.keys()].at(40)}.`)
        ? { status: 403, code: 'AccessDenied' }
        : undefined,
    );

    await expect(copy(nextBackup())).rejects.toMatchObject({ code: 'object_store.failed' });
    expect(await openUploads()).toEqual([]);
  });
});
