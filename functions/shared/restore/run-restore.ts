// A restore from S3 into one database, step by step: structure, rows and what is built on them, privileges, statistics. What is
// done is recorded in the target, so that it can be paused, broken off or killed anywhere and go on.
import type { Source } from '../archive-data/read-stored.ts';
import type { Clock } from '../clock.ts';
import type { Database } from '../database.ts';
import type { ObjectStore } from '../object-store.ts';
import type { ClientTools } from '../postgres-client-tools.ts';
import { checkObjects } from './check-objects.ts';
import { chooseEntries, describeSelection, type Selection } from './choose-entries.ts';
import { isStreamed } from './entry-kinds.ts';
import type { OpenArchive } from './open-archive.ts';
import { createProgress, type RestoreProgress } from './restore-progress.ts';
import { beginRecords, type RestoreIdentity } from './restore-records.ts';
import { type ScriptOptions, writeScript } from './restore-script.ts';
import {
  analyzeTables,
  endRestore,
  inSession,
  type RestoreRun,
  restoreRest,
  restoreStructure,
} from './restore-stages.ts';
import { restoreTasks } from './restore-tasks.ts';
import { refuseNonEmpty } from './target-database.ts';

export interface RestoreOptions extends ScriptOptions {
  /** Sessions at the same time. With 1 everything is done in the order of the archive. */
  jobs: number;
  /** Restore although the target holds something already. */
  allowNonEmpty: boolean;
  /** Leave out, and name, what the role is not allowed to make, where the rows do not need it. */
  skipForbidden: boolean;
  /** What the server has begun goes on when this process is gone (index builds longer than a Lambda lives). */
  outlivesClient: boolean;
  /** Keep the records of what is done: whoever calls again is told that all is done. */
  keepRecords: boolean;
}

export interface RestoreRequest {
  store: ObjectStore;
  clock: Clock;
  archive: OpenArchive;
  tools: ClientTools;
  /** The database to restore into, with `jobs` sessions. */
  target: Database;
  serverMajor: number;
  selection: Selection;
  options: RestoreOptions;
  /** From then on no step is begun; what runs goes on to its end. */
  pause: AbortSignal;
  /** From then on everything is broken off. */
  signal: AbortSignal;
  onProgress(progress: RestoreProgress): void;
}

export interface RestoreOutcome {
  /** False when it was paused: the same call goes on. */
  isDone: boolean;
  /** What the role was not allowed to make, and what needs it, each with the reason. */
  forbidden: readonly string[];
  /** What belongs to chosen tables but needs others. */
  leftOut: readonly string[];
  rows: number;
  tables: number;
  largeObjects: number;
}

/**
 * Restores what the selection says.
 *
 * Throws ArchiveDamage when S3 does not hold what the manifest says, `restore.target_not_empty`, `restore.selection_wrong` and
 * `restore.statement_failed`; after any of them the same call goes on with what is not done.
 */
export async function runRestore(request: RestoreRequest): Promise<RestoreOutcome> {
  const { store, clock, archive, signal, options, selection } = request;
  const { manifest } = archive;
  const progress = createProgress((figures) => request.onProgress(figures));
  const source: Source = { store, clock, signal, onBytes: () => {} };
  const chosen = chooseEntries(archive, selection);
  await checkObjects(source, archive, chosen);
  const sql = chosen.entries.filter((entry) => !isStreamed(entry));
  const script = await writeScript(archive, sql, {
    ...options,
    tools: request.tools,
    serverMajor: request.serverMajor,
    signal,
  });
  const tasks = restoreTasks(archive, chosen, { jobs: options.jobs, mostBytes: mostStepBytes(options) });
  const run: RestoreRun = {
    request,
    archive,
    chosen,
    script,
    source: { ...source, onBytes: (bytes) => progress.addBytes(bytes) },
    done: new Set(),
    statements: {
      backupId: manifest.backupId,
      statements: script.statements,
      skipForbidden: options.skipForbidden,
      leftOut: new Set(),
      hasRecords: true,
      lastWords: [],
    },
    progress,
  };
  const identity = identityOf(manifest, selection, options);
  const records = await inSession(run, async (session) => {
    await refuseNonEmpty(session, options.allowNonEmpty);
    return await beginRecords(session, identity);
  });
  for (const step of records.done) run.done.add(step);
  for (const dumpId of records.leftOut) run.statements.leftOut.add(dumpId);
  progress.begin(tasks, run.done);

  await restoreStructure(run);
  const isDone = (await restoreRest(run, tasks)) && (await analyzeTables(run));
  const forbidden = isDone ? await endRestore(run) : [];
  const rows = chosen.tables.map(({ dumpId }) => manifest.tables.find((one) => one.dumpId === dumpId)?.rows ?? 0);
  const hasLargeObjects = chosen.entries.some(({ desc }) => desc === 'BLOBS');
  return {
    isDone,
    forbidden,
    leftOut: chosen.leftOut,
    rows: rows.reduce((sum, one) => sum + one, 0),
    tables: rows.length,
    largeObjects: hasLargeObjects ? archive.files.largeObjects.length : 0,
  };
}

/** 4 minutes at 20 MB/s, as the ranges of a backup: it must fit into a pass of a drill. */
const MOST_STEP_BYTES = 4_800_000_000;

/** One session that nobody stops keeps the order of the archive in every table. */
function mostStepBytes({ jobs, outlivesClient }: RestoreOptions): number {
  return jobs === 1 && !outlivesClient ? Number.POSITIVE_INFINITY : MOST_STEP_BYTES;
}

/** What the records of a target belong to. Another number of sessions would cut tables into other steps. */
export function identityOf(
  { backupId }: Pick<OpenArchive['manifest'], 'backupId'>,
  selection: Selection,
  { jobs }: Pick<RestoreOptions, 'jobs'>,
): RestoreIdentity {
  return { backupId, selection: `${describeSelection(selection)}, --jobs ${jobs}` };
}
