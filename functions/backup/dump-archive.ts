// Streams one pg_dump archive of the given snapshot into the bucket. The exit code decides: whatever pg_dump has written,
// the upload is completed only after it ended with 0.
import type { Toc } from '../shared/archive-toc/toc-entry.ts';
import { createTocReader, type TocReader } from '../shared/archive-toc/toc-reader.ts';
import type { Credentials } from '../shared/credentials.ts';
import type { Database } from '../shared/database.ts';
import type { Log } from '../shared/log.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { type ClientTools, startClientTool, toolFailure, withCurrentLogin } from '../shared/postgres-client-tools.ts';
import { type PendingUpload, uploadStream } from './stream-upload.ts';

export interface DumpRequest {
  tools: ClientTools;
  database: Database;
  store: ObjectStore;
  key: string;
  /** Of pg_export_snapshot(); the transaction that exported it must live until pg_dump has imported it. */
  snapshotId: string;
  /** Of the database, as pg_encoding_to_char() calls it. */
  encoding: string;
  lockTimeoutMs: number;
  partsInFlight: number;
  applicationName: string;
  signal: AbortSignal;
  log: Log;
  /** Called as soon as pg_dump has told what it will dump: it holds all its locks then. */
  onToc: (toc: Toc) => void;
}

export interface DumpedArchive {
  upload: PendingUpload;
  toc: Toc;
}

/**
 * The archive as an upload that the caller completes or aborts.
 *
 * Throws `client_tools.failed` when pg_dump ends with anything else than exit code 0; nothing is left in the bucket then.
 */
export async function dumpArchive(request: DumpRequest): Promise<DumpedArchive> {
  return await withCurrentLogin(request.database, async (credentials) => await dumpAs(credentials, request));
}

async function dumpAs(credentials: Credentials, request: DumpRequest): Promise<DumpedArchive> {
  const { signal, key } = request;
  const pgDump = startClientTool({
    tools: request.tools,
    program: 'pg_dump',
    args: [
      '--format=custom',
      // Level 1: level 6 takes twice the time for a tenth less of bytes (bench of the archive formats).
      '--compress=1',
      `--snapshot=${request.snapshotId}`,
      `--lock-wait-timeout=${request.lockTimeoutMs}`,
      '--no-password',
      // Names are read on UTF8 connections; SQL_ASCII holds bytes of any kind, which only itself can carry.
      ...(request.encoding === 'UTF8' || request.encoding === 'SQL_ASCII' ? [] : ['--encoding=UTF8']),
    ],
    credentials,
    dbname: credentials.dbname,
    tls: request.database.tls,
    applicationName: request.applicationName,
  });
  const stop = () => pgDump.stop();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const { store, partsInFlight, log } = request;
    const contentType = 'application/octet-stream';
    const reader = createTocReader();
    const source = tellToc(pgDump.stdout, reader, request.onToc);
    const upload = await uploadStream({ store, key, contentType, source, partsInFlight, signal, log });
    try {
      const end = await pgDump.ended;
      if (end.exitCode === 0) return { upload, toc: reader.end() };
      const safeState = 'The upload was aborted; no object and no backup was recorded';
      throw toolFailure('pg_dump', end, `after ${upload.bytes} bytes`, safeState);
    } catch (error) {
      await upload.abort();
      throw error;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    // Without effect on a program that has ended; one whose upload failed must not keep its session and snapshot.
    pgDump.stop();
    await pgDump.ended;
  }
}

/** The bytes as they come, read along until the table of contents is whole. */
async function* tellToc(
  source: AsyncIterable<Buffer>,
  reader: TocReader,
  onToc: (toc: Toc) => void,
): AsyncIterable<Buffer> {
  let isTold = false;
  for await (const chunk of source) {
    const toc = isTold ? undefined : reader.push(chunk);
    if (toc) {
      isTold = true;
      onToc(toc);
    }
    yield chunk;
  }
}
