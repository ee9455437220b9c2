// Makes the plan of a backup out of an open snapshot: what is copied, in which ranges, into which objects.
// Stores what is known already (toc.dat, the lists of large objects, globals, inventory) and begins the uploads.
import { createHash } from 'node:crypto';
import { storedFileName } from '../../shared/archive-toc/archive-file-names.ts';
import { writeDirectoryToc } from '../../shared/archive-toc/toc-writer.ts';
import type { Claim } from '../../shared/backup-claims.ts';
import { backupKeys } from '../../shared/backup-layout.ts';
import type { Database, DatabaseSession } from '../../shared/database.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import { inventoryText } from '../../shared/inventory.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { BackupJob } from '../run-backup.ts';
import { readByPolicy, readCatalogFacts } from '../snapshot/catalog-facts.ts';
import { dumpGlobals } from '../snapshot/dump-globals.ts';
import type { OpenSnapshot } from '../snapshot/open-snapshot.ts';
import type { BackupPlan, PlannedTable } from './plan-contract.ts';
import { batchLargeObjects, planGroups, workLargestFirst } from './plan-groups.ts';
import { partBytesOf, planRanges, rangeBytes, refuseTooLargeTables, type TableSize } from './plan-ranges.ts';

/** Requests at the same time that each take a few milliseconds of one processor. */
const REQUESTS_AT_ONCE = 8;

interface PlanRequest {
  job: BackupJob;
  claim: Claim;
  executionId: string;
  source: Database;
  /** The session of the snapshot, its tables locked. */
  session: DatabaseSession;
  snapshot: OpenSnapshot;
  /** How many will copy at the same time. */
  workers: number;
  applicationName: string;
}

/** The plan; throws before any row is read when a table cannot be read whole or its object would not fit. */
export async function makePlan(request: PlanRequest): Promise<BackupPlan> {
  const { job, claim, session, snapshot, workers } = request;
  const { settings } = job;
  refuseZstdBelow16(snapshot, settings.CODEC);
  const byPolicy = await readByPolicy(
    session,
    snapshot.contents.tables.map(({ oid }) => oid),
  );
  const facts = await readCatalogFacts(session, snapshot.contents);
  const sizes = await readSizes(session, snapshot);
  refuseTooLargeTables(sizes, { memoryMiB: settings.AWS_LAMBDA_FUNCTION_MEMORY_SIZE, workers });
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const target = rangeBytes(total, workers);
  const keys = backupKeys(settings.DATABASE_NAME, claim.backupId);
  const tables = sizes.map((table): PlannedTable => {
    const { schema, name, oid, dumpId, columns, fileName, relfilenode, condition } = table;
    const key = keys.archiveFile(storedFileName(fileName, settings.CODEC));
    const rowSecurity = byPolicy.has(oid) ? 'on' : 'off';
    const ranges = planRanges(table, target);
    const partBytes = partBytesOf(table);
    const place = {
      schema,
      name,
      oid,
      relfilenode,
      dumpId,
      blocks: table.blocks,
      columns: [...columns],
      key,
      uploadId: null,
    };
    return { ...place, condition, rowSecurity, partBytes, ranges };
  });
  const largeObjects = batchLargeObjects(await readLargeObjectSizes(session, snapshot));
  // At the same time: each request takes S3 some 30 ms, and nothing depends on the other.
  const [stored, begun] = await Promise.allSettled([storeWhatIsKnown(request), beginUploads(request, tables)]);
  if (stored.status === 'rejected') throw stored.reason;
  if (begun.status === 'rejected') throw begun.reason;

  return {
    planVersion: 1,
    database: settings.DATABASE_NAME,
    backupId: claim.backupId,
    executionId: request.executionId,
    trigger: job.event.scheduledTime === undefined ? 'manual' : 'schedule',
    scheduledTime: claim.scheduledTime.toISOString(),
    takenAt: snapshot.takenAt.toISOString(),
    server: snapshot.server,
    clientVersion: snapshot.tools.version,
    archiveVersion: snapshot.toc.header.version,
    codec: settings.CODEC,
    tables,
    largeObjects,
    groups: planGroups(workLargestFirst({ tables, largeObjects }), target),
    sequences: snapshot.contents.sequences.map(({ schema, name, lastValue, isCalled }) => ({
      schema,
      name,
      lastValue,
      isCalled,
    })),
    ...facts,
    readByPolicy: tables
      .filter(({ rowSecurity }) => rowSecurity === 'on')
      .map((one) => quoteQualified(one.schema, one.name)),
    stored: stored.value,
  };
}

/** A table of one range is its worker's own affair: most are small enough for a single put. */
async function beginUploads({ job }: PlanRequest, tables: readonly PlannedTable[]): Promise<void> {
  await inParallel(REQUESTS_AT_ONCE, tables, async (table) => {
    if (table.ranges.length > 1) table.uploadId = await job.store.createUpload(table.key, 'application/octet-stream');
  });
}

/** pg_dump before 16 has no number for zstd in its table of contents, and its pg_restore cannot read it. */
function refuseZstdBelow16({ server, tools, toc }: OpenSnapshot, codec: BackupPlan['codec']): void {
  if (codec !== 'zstd' || toc.header.version !== '1.14') return;
  throw new JobFailure({
    code: 'backup.codec_refused',
    problem: `codec is "zstd" but must be "gzip" for a server of version ${server.version} dumped by pg_dump ${tools.version}: pg_restore reads zstd only since 16`,
    safeState: 'No row was read and no backup was recorded',
    hint: 'set codec of backup to "gzip" in nightshift.config.ts',
  });
}

type SizedTable = TableSize &
  OpenSnapshot['contents']['tables'][number] & { relfilenode: number; condition: string | null };

async function readSizes(session: DatabaseSession, { contents }: OpenSnapshot): Promise<SizedTable[]> {
  const oids = contents.tables.map(({ oid }) => oid);
  const measured = await session.query<{
    oid: string;
    relfilenode: string;
    is_heap: boolean;
    blocks: string;
    bytes: string;
  }>(readSqlFile('backup/table-sizes.sql'), [oids]);
  const byOid = new Map(measured.rows.map((row) => [Number(row.oid), row]));
  const listed = await session.query<{ oid: string; condition: string }>(
    readSqlFile('backup/extension-conditions.sql'),
  );
  // The condition is the extension's own text from the catalog (pg_extension.extcondition); pg_dump uses it as it is.
  const conditions = new Map(listed.rows.map(({ oid, condition }) => [Number(oid), condition]));
  return contents.tables.map((table) => {
    const size = byOid.get(table.oid);
    if (!size)
      throw new Error(`pg_class has no row for table ${quoteQualified(table.schema, table.name)}, which is locked`);
    const condition = conditions.get(table.oid) ?? null;
    return {
      ...table,
      bytes: Number(size.bytes),
      blocks: Number(size.blocks),
      relfilenode: Number(size.relfilenode),
      condition,
      isDivisible: size.is_heap && condition === null,
    };
  });
}

async function readLargeObjectSizes(session: DatabaseSession, { contents }: OpenSnapshot) {
  const oids = contents.largeObjects.flatMap((group) => group.oids);
  if (oids.length === 0) return [];
  const { rows } = await session.query<{ oid: string; bytes: string }>(readSqlFile('backup/large-object-sizes.sql'), [
    oids,
  ]);
  const bytes = new Map(rows.map((row) => [Number(row.oid), Number(row.bytes)]));
  return oids.map((oid) => ({ oid, bytes: bytes.get(oid) ?? 0 }));
}

async function storeWhatIsKnown(request: PlanRequest): Promise<BackupPlan['stored']> {
  const { job, claim, snapshot, source } = request;
  const { store, settings, signal } = job;
  const keys = backupKeys(settings.DATABASE_NAME, claim.backupId);
  const put = async (key: string, body: string | Buffer, contentType: string) => {
    signal.throwIfAborted();
    const sha256 = createHash('sha256').update(body).digest('hex');
    return { ...(await store.putOwn(key, body, contentType)), sha256 };
  };
  const toc = writeDirectoryToc(snapshot.toc, { compression: settings.CODEC });
  const globals = await dumpGlobals({
    tools: snapshot.tools,
    database: source,
    applicationName: request.applicationName,
    signal,
  });
  const lists = snapshot.contents.largeObjects.map(({ fileName, oids }) => ({
    key: keys.archiveFile(fileName),
    list: oids.map((oid) => `${oid} blob_${oid}.dat\n`).join(''),
  }));
  return await inParallel(
    REQUESTS_AT_ONCE,
    [
      async () => await put(keys.archiveFile('toc.dat'), toc, 'application/octet-stream'),
      async () => await put(keys.globals, globals, 'application/sql'),
      async () => await put(keys.inventory, inventoryText(snapshot.inventory), 'application/json'),
      ...lists.map(
        ({ key, list }) =>
          async () =>
            await put(key, list, 'text/plain'),
      ),
    ],
    async (putOne) => await putOne(),
  );
}
