// Writes the manifest of an archive at the end of a run, from nightshift.purge_object alone: the same rows give the same bytes.
import { createHash } from 'node:crypto';
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import type { ArchiveResult } from '../contract.ts';
import { archiveFailure } from './archive-failure.ts';
import {
  ARCHIVE_MANIFEST_VERSION,
  type ArchivedTable,
  type ArchiveManifest,
  parseArchiveManifest,
  totalsOf,
} from './archive-manifest.ts';
import { type ArchiveSeries, keysOfSeries } from './archive-series.ts';
import { readRecordedTables } from './recorded-tables.ts';
import { namedButNotRecorded } from './stored-manifest.ts';

const NOT_WRITTEN = 'The rows are archived and recorded; the manifest in S3 is as it was';

/**
 * Replaces the manifest that an earlier run of the series has written: it only grows. Without an archived row there is none.
 *
 * Outside of a transaction and under the lock of purge; may be repeated.
 */
export async function writeArchiveManifest(
  session: DatabaseSession,
  { series, store }: { series: ArchiveSeries; store: ObjectStore },
): Promise<ArchiveResult> {
  const key = keysOfSeries(series).archiveManifest;
  const tables = await readRecordedTables(session, series.seriesId);
  // In this order: when somebody writes another one after the first look, the put is refused.
  const present = await store.head(key);
  const presentText = present && (await store.getText(key));
  if (presentText !== undefined) requireGrowth(key, parseArchiveManifest(key, presentText), tables);
  if (tables.length === 0) return { objects: 0, rows: 0, bytes: 0, manifestKey: null, manifestSha256: null };
  const manifest: ArchiveManifest = {
    archiveManifestVersion: ARCHIVE_MANIFEST_VERSION,
    database: series.database,
    policy: series.policy,
    series: series.seriesId,
    format: 'copy-text-gzip',
    tables,
    totals: totalsOf(tables),
  };
  const text = Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`);
  if (presentText !== text.toString()) await putManifest(store, key, present, text);
  const { objects, rows, bytes } = manifest.totals;
  const manifestSha256 = createHash('sha256').update(text).digest('hex');
  return { objects, rows, bytes, manifestKey: key, manifestSha256 };
}

function requireGrowth(key: string, before: ArchiveManifest, tables: readonly ArchivedTable[]): void {
  const objectsOf = (all: readonly ArchivedTable[]) => all.flatMap(({ objects }) => objects);
  const recorded = new Set(objectsOf(tables).map((object) => `${object.sha256} ${object.key}`));
  const missing = objectsOf(before.tables).filter((object) => !recorded.has(`${object.sha256} ${object.key}`));
  if (missing.length === 0) return;
  throw namedButNotRecorded(
    key,
    missing.map((object) => object.key),
    NOT_WRITTEN,
  );
}

/** With a lost answer S3 holds it although it says "exists": what is there then decides. */
async function putManifest(
  store: ObjectStore,
  key: string,
  present: { key: string; etag: string } | undefined,
  text: Buffer,
): Promise<void> {
  const type = 'application/json';
  try {
    if (present === undefined) await store.putNew(key, text, type);
    else await store.replace(present, text, type);
  } catch (error) {
    if (!(error instanceof JobFailure && error.code === 'object_store.exists')) throw error;
  }
  if ((await store.getText(key)) === text.toString()) return;
  throw archiveFailure(
    `"${key}", read back from S3, is not the manifest that was written`,
    'look at who else writes into the bucket, then run purge again: it writes the manifest anew',
    { safeState: 'The rows are archived and recorded' },
  );
}
