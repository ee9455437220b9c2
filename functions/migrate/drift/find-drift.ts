// Compares the live catalog with what the applied migrations make in a scratch database: what was changed by hand.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { isSessionLost, sqlState } from '../../shared/postgres-errors.ts';
import { compareCatalogs, type Difference } from '../scratch/compare-snapshots.ts';
import { installNightshift } from '../scratch/install-nightshift.ts';
import { runScript } from '../scratch/run-script.ts';
import { type ScratchContext, withScratchServer } from '../scratch/scratch-server.ts';
import { type Catalog, readCatalog } from '../scratch/snapshot.ts';
import type { DriftResult } from './contract.ts';

export interface DriftRequest {
  /** The applied files in their order. */
  readonly applied: readonly Migration[];
  /** How long the reading of the live catalog may take, and wait for a lock: that of a view takes ACCESS SHARE. */
  readonly limits: { lockTimeoutMs: number; statementTimeoutMs: number };
}

const MOST_LISTED = 200;
/** Bootstrap makes it and looks after it. */
const LEFT_OUT = 'nightshift';

/** Everything that differs, owners and grants too. A file that does not run there makes the outcome unknown, never none. */
export async function findDrift(context: ScratchContext, request: DriftRequest): Promise<DriftResult> {
  const startedMs = context.clock.monotonicMs();
  return await withScratchServer(context, async (server) => {
    const { live } = server;
    const scratch = await server.create();
    const made = await scratch.database.withSession(async (session) => {
      await installNightshift(scratch, session);
      for (const { up } of request.applied) {
        const problem = await runScript(scratch, session, up);
        if (problem !== undefined) return { problem, catalog: new Map() as Catalog };
      }
      return { problem: undefined, catalog: withoutOwnSchema(await readCatalog(session)) };
    });
    const actual = made.problem === undefined ? await readLive(live, request) : new Map();
    const differences = compareCatalogs(made.catalog, actual);
    const { rows } = await live.query<{ role: string; version: string }>(
      "select current_user as role, current_setting('server_version') as version",
    );
    return {
      outcome: made.problem !== undefined ? 'unknown' : differences.length === 0 ? 'none' : 'drifted',
      problem: made.problem ?? null,
      ...list(differences),
      compared: new Set([...made.catalog.keys(), ...actual.keys()]).size,
      comparison: {
        files: request.applied.length,
        schemasLeftOut: [LEFT_OUT],
        owners: true,
        privileges: true,
        invalidIndexes: true,
        sequenceValues: false,
        rows: false,
        role: rows[0]?.role ?? '',
        serverVersion: rows[0]?.version ?? '',
      },
      durationMs: Math.round(context.clock.monotonicMs() - startedMs),
    };
  });
}

/** Throws `migrate.drifted` unless the live catalog is what the migrations make. */
export function requireNoDrift({ outcome, problem, drift, ...counts }: DriftResult): void {
  if (outcome === 'none') return;
  const total = counts.missingCount + counts.extraCount + counts.differentCount;
  const first = drift[0];
  throw new JobFailure({
    code: 'migrate.drifted',
    problem:
      outcome === 'unknown'
        ? `it is not known whether the live database drifted: ${problem ?? ''}`
        : `the live database differs from its migrations in ${total} things (${counts.missingCount} missing, ${counts.extraCount} extra, ${counts.differentCount} different), the first: ${first?.kind ?? ''} ${first?.what ?? ''}`,
    safeState: 'The live database was not changed; the scratch database was dropped',
    hint:
      outcome === 'unknown'
        ? 'correct what the file needs on this server'
        : 'undo by hand what was done by hand, or put it into a new migration',
  });
}

async function readLive(live: DatabaseSession, { limits }: DriftRequest): Promise<Catalog> {
  try {
    return withoutOwnSchema(await readCatalog(live, limits));
  } catch (error) {
    const state = sqlState(error);
    if (isSessionLost(error) || state === undefined) throw error;
    await live.query('rollback');
    throw new JobFailure({
      code: 'migrate.drifted',
      problem: `it is not known whether the live database drifted: its catalog could not be read (SQLSTATE ${state}): ${describeError(error)}`,
      safeState: 'The live database was not changed',
      hint: 'look again when nobody changes the schema',
      cause: error,
    });
  }
}

/** Without schema nightshift and all in it. */
function withoutOwnSchema(catalog: Catalog): Catalog {
  return new Map([...catalog].filter(([, { row }]) => row.schema !== LEFT_OUT));
}

function list(
  differences: readonly Difference[],
): Pick<DriftResult, 'drift' | 'missingCount' | 'extraCount' | 'differentCount'> {
  const drift = differences.map(({ what, expected, actual }) => ({
    kind: actual === null ? ('missing' as const) : expected === null ? ('extra' as const) : ('different' as const),
    what,
    migrations: expected,
    live: actual,
  }));
  const countOf = (kind: string) => drift.filter((one) => one.kind === kind).length;
  return {
    drift: drift.slice(0, MOST_LISTED),
    missingCount: countOf('missing'),
    extraCount: countOf('extra'),
    differentCount: countOf('different'),
  };
}
