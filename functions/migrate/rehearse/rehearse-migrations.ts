// Rehearses migrations on a copy of the live schema with some rows: what each statement locks, scans, rewrites and builds, and
// how long that would take live. Of the live database it reads the catalog and the statistics, and nothing else.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { copySchema } from '../scratch/copy-schema.ts';
import { fillEmptyTables } from '../scratch/fill-tables.ts';
import { installRoleStandIns } from '../scratch/install-nightshift.ts';
import { type ScratchContext, withScratchServer } from '../scratch/scratch-server.ts';
import { productSeeds, type Seeds } from '../scratch/seeds.ts';
import type { RehearsalResult, RehearsedFile } from './contract.ts';
import type { LiveSize } from './expected-seconds.ts';
import { measureRates } from './measure-rates.ts';
import { populateViews } from './populate-views.ts';
import { rehearseFile } from './rehearse-file.ts';
import { readFacts } from './statement-facts.ts';

export interface RehearsalRequest {
  /** In the order in which they would run; usually the pending ones. */
  readonly migrations: readonly Migration[];
  /** POSTGRES_CLIENT_DIRECTORIES. */
  readonly clientDirectories: string;
  readonly seeds?: Seeds;
}

/** Enough to tell a pass over a table from a look at one row. */
const ROWS = 20;
const MOST_NOT_COPIED = 100;

/** All files up to the first that fails. Throws for what says nothing about the files. */
export async function rehearseMigrations(context: ScratchContext, request: RehearsalRequest): Promise<RehearsalResult> {
  const { clock, log } = context;
  const { migrations, clientDirectories, seeds = productSeeds() } = request;
  const startedMs = clock.monotonicMs();
  return await withScratchServer(context, async (server) => {
    const { live } = server;
    const scratch = await server.create();
    const notCopied = await copySchema({ database: context.database, live, scratch, clientDirectories });
    const sizes = await readLiveSizes(live);
    return await scratch.database.withSession(async (session) => {
      const { rows } = await session.query<{ version: string; has_schema: boolean }>(
        "select current_setting('server_version') as version, to_regnamespace('nightshift') is not null as has_schema",
      );
      if (rows[0]?.has_schema === true) await installRoleStandIns(session);
      const rates = await measureRates(session, clock);
      const filled = await fillEmptyTables(session, seeds, ROWS);
      notCopied.push(...(await populateViews(live, session)));
      const liveByOid = await byOid(session, sizes);
      const files: RehearsedFile[] = [];
      for (const migration of migrations) {
        const file = await rehearseFile({ scratch, session, clock, migration, rates, live: liveByOid });
        files.push(file);
        log.info('migrate.file_rehearsed', { file: file.file, outcome: file.outcome });
        if (file.outcome === 'failed') break;
      }
      return {
        files,
        notRehearsed: migrations.slice(files.length).map(({ up }) => up.file),
        notCopied: notCopied.slice(0, MOST_NOT_COPIED),
        notCopiedCount: notCopied.length,
        tablesWithoutRows: filled.withoutRows,
        rates,
        serverVersion: rows[0]?.version ?? '',
        durationMs: Math.round(clock.monotonicMs() - startedMs),
      };
    });
  });
}

/** Throws `migrate.rehearsal_failed` when a file does not run on the copy. */
export function requireRehearsed({ files, notCopied, notCopiedCount }: RehearsalResult): void {
  const failed = files.find(({ outcome }) => outcome === 'failed');
  if (failed === undefined) return;
  const lacks =
    notCopiedCount === 0
      ? ''
      : `; the copy lacks ${notCopiedCount} things of the live schema, the first: ${notCopied[0]?.what ?? ''}`;
  throw new JobFailure({
    code: 'migrate.rehearsal_failed',
    problem: `${failed.problem ?? failed.file}${lacks}`,
    safeState: 'The live database was not changed; the scratch database was dropped',
    hint: 'correct the file; rows of the copy are generated, so a statement that needs certain rows wants a file in sql/seeds/',
  });
}

async function readLiveSizes(live: DatabaseSession): Promise<ReadonlyMap<string, LiveSize>> {
  const { rows } = await live.query<{ table: string; rows: string | null; bytes: string }>(
    readSqlFile('migrate/live-sizes.sql'),
  );
  return new Map(
    rows.map((row) => [row.table, { rows: row.rows === null ? null : Number(row.rows), bytes: Number(row.bytes) }]),
  );
}

/** A migration may rename a table; its oid in the copy stays. */
async function byOid(
  session: DatabaseSession,
  sizes: ReadonlyMap<string, LiveSize>,
): Promise<ReadonlyMap<number, LiveSize>> {
  return new Map(
    [...(await readFacts(session, 'ever'))].flatMap(([oid, { name }]) => {
      const size = sizes.get(name);
      return size === undefined ? [] : [[oid, size] as const];
    }),
  );
}
