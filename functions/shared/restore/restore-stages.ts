// The stages of a restore, in their order: structure; rows and what is built on them; privileges; statistics; the end.
// run-restore.ts calls them. Each goes on where an earlier call stopped.
import type { Source } from '../archive-data/read-stored.ts';
import type { TocEntry } from '../archive-toc/toc-entry.ts';
import type { DatabaseSession } from '../database.ts';
import { quoteQualified } from '../quote-identifier.ts';
import { readSqlFile } from '../sql-files.ts';
import type { ChosenEntries } from './choose-entries.ts';
import { type RestorePass, restorePass } from './entry-kinds.ts';
import { loadLargeObjects } from './load-large-objects.ts';
import { loadRows } from './load-rows.ts';
import type { OpenArchive } from './open-archive.ts';
import type { ProgressCounter } from './restore-progress.ts';
import { dropRecords, hasRecords, readLeftOut, readRecords, recordStep } from './restore-records.ts';
import type { RestoreScript } from './restore-script.ts';
import { type RestoreTask, stepOfEntry } from './restore-tasks.ts';
import type { RestoreRequest } from './run-restore.ts';
import {
  COPY_INTO,
  explainSql,
  mayRetry,
  runStatement,
  runStatements,
  type StatementContext,
} from './run-statements.ts';
import { runTasks, type Scheduled } from './run-tasks.ts';

export interface RestoreRun {
  request: RestoreRequest;
  archive: OpenArchive;
  chosen: ChosenEntries;
  script: RestoreScript;
  source: Source;
  /** Names of steps; grows. */
  done: Set<string>;
  statements: StatementContext;
  progress: ProgressCounter;
}

/** How often what is done in one session is begun at the most. */
const ATTEMPTS = 3;
/** A commit that the server forgets in a crash takes its record with it; the last one of the restore waits for all. */
const OWN_SETTINGS = 'set synchronous_commit = off';

/** Runs `use` in a session with the settings of the restore; once more when the session was lost. */
export async function inSession<T>(
  run: RestoreRun,
  use: (session: DatabaseSession, attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    run.request.signal.throwIfAborted();
    try {
      return await run.request.target.withSession(async (session) => {
        await prepare(run, session);
        return await use(session, attempt);
      });
    } catch (error) {
      run.request.signal.throwIfAborted();
      if (attempt === ATTEMPTS || !mayRetry(error)) throw error;
    }
  }
}

async function prepare({ script }: RestoreRun, session: DatabaseSession): Promise<void> {
  await session.query([...script.settings, OWN_SETTINGS].join('\n'));
}

/** Everything that is there before the rows. */
export async function restoreStructure(run: RestoreRun): Promise<void> {
  run.progress.stage('structure');
  await runInOrder(
    run,
    run.chosen.entries.filter(({ section, desc }) => section !== 'data' && section !== 'post-data' && desc !== 'ACL'),
    'main',
  );
}

async function runInOrder(run: RestoreRun, entries: readonly TocEntry[], pass: RestorePass): Promise<void> {
  const own = entries.filter((entry) => restorePass(entry) === pass);
  await inSession(run, async (session, attempt) => {
    if (attempt > 1) await learnWhatIsDone(run, session);
    await runStatements(session, own, run.done, run.statements);
  });
}

/** The answer to a commit may have been lost with the session before, and what was left out in it was not left out after all. */
async function learnWhatIsDone({ done, statements }: RestoreRun, session: DatabaseSession): Promise<void> {
  const records = await readRecords(session);
  for (const step of records.done) done.add(step);
  statements.leftOut.clear();
  for (const dumpId of records.leftOut) statements.leftOut.add(dumpId);
}

/** Rows, large objects, indexes, constraints; then privileges and materialized views. False when it was paused. */
export async function restoreRest(run: RestoreRun, tasks: readonly RestoreTask[]): Promise<boolean> {
  run.progress.stage('rows and indexes');
  const isDone = await runAll(
    run,
    tasks,
    async (session, task) => await run.progress.during(task, async () => await runTask(run, session, task)),
    (task) => run.progress.taskDone(task),
  );
  if (!isDone) return false;
  run.progress.stage('privileges');
  await runInOrder(run, run.chosen.entries, 'privileges');
  const views = run.chosen.entries.filter((entry) => restorePass(entry) === 'last' && !isOfEventTriggers(entry));
  return await runAll(
    run,
    views.map((entry, index) => ({
      name: stepOfEntry(entry),
      // One after the other: a view may be made of another one.
      after: views.slice(Math.max(0, index - 1), index).map(stepOfEntry),
      tables: [],
      isExclusive: false,
      weight: 0,
      entry,
    })),
    async (session, { name, entry }) => await runSqlStep(run, session, name, entry),
    () => {},
  );
}

/** They would fire for our own last statements. */
function isOfEventTriggers({ desc }: TocEntry): boolean {
  return desc === 'EVENT TRIGGER' || desc === 'COMMENT' || desc === 'SECURITY LABEL';
}

/** Statistics of every table that this restore may have filled. False when it was paused. */
export async function analyzeTables(run: RestoreRun): Promise<boolean> {
  if (run.request.selection.part === 'schema-only') return true;
  run.progress.stage('statistics');
  const tables = await inSession(run, async (session) => {
    const { rows } = await session.query<{ schema: string; name: string }>(
      readSqlFile('restore/tables-to-analyze.sql'),
    );
    return rows.map(({ schema, name }) => quoteQualified(schema, name));
  });
  const own = new Set(run.chosen.tables.map(({ schema, name }) => quoteQualified(schema, name)));
  const tasks = tables
    .filter((name) => run.chosen.isWhole || own.has(name))
    .map((name) => ({ name: `analyze ${name}`, after: [], tables: [], isExclusive: false, weight: 0, table: name }));
  return await runAll(
    run,
    tasks,
    async (session, { name, table }) => {
      await session.query('begin');
      if (await recordStep(session, name)) {
        await session.query(`analyze ${table}; commit`);
      } else await session.query('rollback');
    },
    () => {},
  );
}

/** Removes the records and makes the event triggers, in one transaction; what was left out, in words. */
export async function endRestore(run: RestoreRun): Promise<string[]> {
  const { keepRecords } = run.request.options;
  const triggers = run.chosen.entries.filter((entry) => restorePass(entry) === 'last' && isOfEventTriggers(entry));
  const forbidden = await inSession(run, async (session) => {
    // The answer to the last commit was lost: everything is done.
    if (!(await hasRecords(session))) return [];
    await session.query('set synchronous_commit = on; begin');
    const words = await readLeftOut(session);
    if (!keepRecords) await dropRecords(session);
    run.statements.hasRecords = keepRecords;
    for (const entry of triggers) {
      if (run.done.has(stepOfEntry(entry))) continue;
      if (!keepRecords || (await recordStep(session, stepOfEntry(entry)))) {
        await runStatement(session, entry, run.statements);
      }
    }
    const all = keepRecords ? await readLeftOut(session) : [...words, ...run.statements.lastWords];
    await session.query('commit');
    return all;
  });
  run.progress.stage('done');
  return forbidden;
}

async function runAll<T extends Scheduled>(
  run: RestoreRun,
  tasks: readonly T[],
  work: (session: DatabaseSession, task: T) => Promise<void>,
  onDone: (task: T) => void,
): Promise<boolean> {
  const { request, done } = run;
  return await runTasks({
    tasks,
    done,
    jobs: request.options.jobs,
    database: request.target,
    prepare: async (session) => await prepare(run, session),
    run: work,
    mayRetry: (error) => !request.signal.aborted && mayRetry(error),
    onDone: (task) => {
      done.add(task.name);
      onDone(task);
    },
    pause: request.pause,
    signal: request.signal,
  });
}

async function runTask(run: RestoreRun, session: DatabaseSession, task: RestoreTask): Promise<void> {
  const { archive, source } = run;
  const { manifest } = archive;
  if (task.kind === 'sql') return await runSqlStep(run, session, task.name, task.entry);
  try {
    if (task.kind === 'rows')
      await loadRows(session, task.step, { source, manifest, encoding: archive.contents.encoding });
    else await loadLargeObjects(session, task.step, { source, manifest });
  } catch (error) {
    const what =
      task.kind === 'rows' ? `${COPY_INTO}${quoteQualified(task.step.table.schema, task.step.table.name)}` : task.name;
    throw explainSql(error, what, manifest.backupId);
  }
}

/**
 * One entry in a transaction of its own.
 *
 * When it shall outlive this process, the server looks for the client no more once the record is made: it ends the statement
 * and commits by itself, and whoever comes after waits for that record.
 */
async function runSqlStep(run: RestoreRun, session: DatabaseSession, name: string, entry: TocEntry): Promise<void> {
  await session.query('begin');
  if (!(await recordStep(session, name))) {
    await session.query('rollback');
    return;
  }
  if (run.request.options.outlivesClient) await session.query('set local client_connection_check_interval = 0');
  await runStatement(session, entry, run.statements, { andCommit: true });
}
