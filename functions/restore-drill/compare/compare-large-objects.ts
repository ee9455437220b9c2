// Compares the large objects of a restored database with the manifest: number, bytes and the digest of all contents.
import { createHash } from 'node:crypto';
import type { BackupManifest } from '../../shared/backup-manifest.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { type Comparison, comparison } from './comparison.ts';

/** Large objects in one query; each is open on the server until the query ends. */
const PAGE = 100;
/** Up to this size the server hashes a large object; a larger one is read in chunks, so that it is nowhere whole in memory. */
const SMALL_BYTES = 2 ** 20;
const CHUNK_BYTES = 4 * 2 ** 20;

/** One difference at most: the manifest knows only the sum of all. The digest is the one that the manifest describes. */
export async function compareLargeObjects(
  session: DatabaseSession,
  manifest: BackupManifest,
  signal: AbortSignal,
): Promise<Comparison> {
  const hash = createHash('sha256');
  let count = 0;
  let bytes = 0;
  for (let after = '0'; ; ) {
    signal.throwIfAborted();
    const { rows } = await session.query<{ oid: string; bytes: string; sha256: string | null }>(
      readSqlFile('restore-drill/large-objects.sql'),
      [after, PAGE, SMALL_BYTES],
    );
    for (const one of rows) {
      const sha256 = one.sha256 ?? (await hashInChunks(session, one.oid, Number(one.bytes), signal));
      hash.update(`${one.oid} ${one.bytes} ${sha256}\n`);
      count += 1;
      bytes += Number(one.bytes);
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.oid;
  }
  const expected = describe(manifest.largeObjects);
  const actual = describe({ count, bytes, sha256: hash.digest('hex') });
  if (expected === actual) return comparison({ compared: { largeObjects: count } });
  return comparison({ differences: [{ what: 'large objects', expected, actual }] });
}

async function hashInChunks(
  session: DatabaseSession,
  oid: string,
  bytes: number,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes; at += CHUNK_BYTES) {
    signal.throwIfAborted();
    const { rows } = await session.query<{ chunk: Buffer }>('select lo_get($1::oid, $2, $3) as chunk', [
      oid,
      at,
      CHUNK_BYTES,
    ]);
    hash.update(rows[0]?.chunk ?? '');
  }
  return hash.digest('hex');
}

function describe({ count, bytes, sha256 }: BackupManifest['largeObjects']): string {
  return `${count} of ${bytes} bytes, SHA-256 ${sha256}`;
}
