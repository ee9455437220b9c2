// Everything of a backup that comes from the database, read in one transaction: archive, row counts, catalog, globals.
import { dumpedTables } from '../shared/archive-toc/dumped-tables.ts';
import type { Toc } from '../shared/archive-toc/toc-entry.ts';
import { backupKeys } from '../shared/backup-layout.ts';
import type { Database } from '../shared/database.ts';
import { asJobFailure } from '../shared/database-errors.ts';
import { describeError } from '../shared/job-failure.ts';
import { type ClientTools, findClientTools } from '../shared/postgres-client-tools.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { Claim } from './claim-backup.ts';
import { countRows, type TableCount } from './count-rows.ts';
import { dumpArchive } from './dump-archive.ts';
import { dumpGlobals } from './dump-globals.ts';
import { holdSchemaLock } from './hold-schema-lock.ts';
import { readCatalogFacts, readServerFacts, refuseUnreadableTables, type ServerFacts } from './read-database-facts.ts';
import { refuseRewrittenTables } from './refuse-rewritten-tables.ts';
import type { BackupJob } from './run-backup.ts';
import type { PendingUpload } from './stream-upload.ts';

export interface BackupParts {
  server: ServerFacts;
  tools: ClientTools;
  facts: Awaited<ReturnType<typeof readCatalogFacts>>;
  archive: PendingUpload;
  archiveVersion: string;
  tables: TableCount[];
  globals: string;
}

/** The archive in the answer is an upload that is not completed yet; on any failure it is aborted before this throws. */
export async function readInOneSnapshot(job: BackupJob, source: Database, claim: Claim): Promise<BackupParts> {
  const { settings, store, log } = job;
  const key = backupKeys(settings.DATABASE_NAME, claim.backupId).archive;
  const applicationName = `nightshift/backup ${claim.backupId}`;
  let archive: PendingUpload | undefined;
  try {
    return await source.withSession(async (session) => {
      const unlock = await holdSchemaLock(session, job.clock, job.signal);
      await session.query('begin isolation level repeatable read read only');
      await session.query(readSqlFile('backup/session.sql'));
      const server = await readServerFacts(session);
      await refuseUnreadableTables(session);
      const tools = await findClientTools(settings.POSTGRES_CLIENT_DIRECTORIES, server.major);
      const exported = await session.query<{ id: string }>('select pg_catalog.pg_export_snapshot() as id');
      const snapshotId = exported.rows[0]?.id ?? '';
      log.info('backup.snapshot_opened', {
        snapshot: server.snapshot,
        database_bytes: server.databaseBytes,
        client: tools.version,
      });

      const cancel = new AbortController();
      const signal = AbortSignal.any([job.signal, cancel.signal]);
      const stopTheOther = (error: unknown): never => {
        cancel.abort(error);
        throw error;
      };
      const told = Promise.withResolvers<Toc>();
      const dump = { tools, database: source, store, key, snapshotId, applicationName, signal, log };
      const dumping = dumpArchive({
        ...dump,
        encoding: server.encoding,
        lockTimeoutMs: settings.LOCK_TIMEOUT_MS,
        partsInFlight: settings.PARTS_IN_FLIGHT,
        onToc: told.resolve,
      });
      // An archive without any data tells its table of contents only at its end.
      const counting = Promise.race([told.promise, dumping.then(({ toc }) => toc)]).then(async (toc) => {
        const tables = dumpedTables(toc);
        await refuseRewrittenTables(session, tables);
        return await countRows(session, tables, signal);
      });
      const [dumped, counted] = await Promise.allSettled([
        dumping.catch(stopTheOther),
        unlessAborted(signal, counting).catch(stopTheOther),
      ]);
      if (dumped.status === 'fulfilled') archive = dumped.value.upload;
      if (cancel.signal.aborted) throw cancel.signal.reason;
      if (dumped.status === 'rejected') throw dumped.reason;
      if (counted.status === 'rejected') throw counted.reason;
      const { upload, toc } = dumped.value;
      log.info('backup.archive_dumped', { bytes: upload.bytes, tables: counted.value.length });

      const facts = await readCatalogFacts(session);
      const globals = await dumpGlobals({ tools, database: source, applicationName, signal });
      await session.query('commit');
      await unlock();
      return {
        server,
        tools,
        facts,
        archive: upload,
        archiveVersion: toc.header.version,
        tables: counted.value,
        globals,
      };
    });
  } catch (error) {
    await archive?.abort().catch((cause: unknown) => {
      log.error('backup.upload_not_aborted', { key, problem: describeError(cause) });
    });
    throw asJobFailure(error, {
      during: 'the backup',
      safeState: 'The upload was aborted; no object and no backup was recorded',
    });
  }
}

/** Rejects as soon as the signal is aborted; the session of the promise is then closed by its owner, query and all. */
async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
