// The certificate of one migration, in a scratch database that holds the files before it.
import type { DatabaseSession } from '../../shared/database.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { compareSnapshots } from '../scratch/compare-snapshots.ts';
import { type Filled, fillColumns, fillEmptyTables } from '../scratch/fill-tables.ts';
import type { FillableColumn, FillableTable } from '../scratch/fillable-tables.ts';
import { runScript } from '../scratch/run-script.ts';
import type { Scratch, ScratchContext } from '../scratch/scratch-server.ts';
import type { Seeds } from '../scratch/seeds.ts';
import { type Catalog, digestTables, readCatalog, type Snapshot } from '../scratch/snapshot.ts';
import type { Certificate } from './contract.ts';

/** Of each table: more than one, so that order and uniqueness count; few, because each is an INSERT. */
const ROWS = 5;
/** A down that is far off differs in everything. */
const MOST_DIFFERENCES = 50;

export interface CertifyRequest {
  context: ScratchContext;
  scratch: Scratch;
  migration: Migration;
  seeds: Seeds;
}

export interface Certified {
  certificate: Certificate;
  /** Whether the scratch database is now what the file makes, so that the next one can be certified in it. */
  isUsable: boolean;
  /** False when the up file failed: no later file can be tried. */
  isApplicable: boolean;
}

type End = Pick<Certificate, 'outcome' | 'problem' | 'differences'> &
  Pick<Certified, 'isUsable' | 'isApplicable'> & { filled: Filled };

/** Rows, snapshot, up, snapshot, rows for what is new, down, snapshot, up, snapshot; and what they say. */
export async function certifyMigration(request: CertifyRequest): Promise<Certified> {
  const { context, scratch, migration } = request;
  const startedMs = context.clock.monotonicMs();
  return await scratch.database.withSession(async (session) => {
    const { rows } = await session.query<{ version: string }>("select current_setting('server_version') as version");
    const { filled, isUsable, isApplicable, ...end } = await upDownUp(request, session);
    return {
      isUsable,
      isApplicable,
      certificate: {
        ...end,
        file: migration.up.file,
        checksum: migration.up.checksum,
        downChecksum: migration.down?.checksum ?? null,
        differences: end.differences.slice(0, MOST_DIFFERENCES),
        differenceCount: end.differences.length,
        tablesWithRows: filled.withRows,
        tablesWithoutRows: filled.withoutRows,
        durationMs: Math.round(context.clock.monotonicMs() - startedMs),
        serverVersion: rows[0]?.version ?? '',
      },
    };
  });
}

async function upDownUp({ scratch, migration, seeds }: CertifyRequest, session: DatabaseSession): Promise<End> {
  const { up, down, irreversibleBecause } = migration;
  const filled = await fillEmptyTables(session, seeds, ROWS);
  const failed = (problem: string, isApplicable: boolean): End => ({
    outcome: 'failed',
    problem,
    differences: [],
    filled,
    isUsable: false,
    isApplicable,
  });
  const before = await takeSnapshot(scratch, session);
  const upProblem = await runScript(scratch, session, up);
  if (upProblem !== undefined) return failed(upProblem, false);
  if (irreversibleBecause !== undefined || down === undefined) {
    const problem = irreversibleBecause ?? 'it has no down file';
    return { outcome: 'irreversible', problem, differences: [], filled, isUsable: true, isApplicable: true };
  }
  const first = await takeSnapshot(scratch, session);
  await fillColumns(session, isNewSince(before.catalog));
  const refilled = await fillEmptyTables(session, seeds, ROWS);
  const downProblem = await runScript(scratch, session, down);
  if (downProblem !== undefined) return { ...failed(downProblem, true), filled: refilled };
  const reverted = await takeSnapshot(scratch, session);
  const againProblem = await runScript(scratch, session, up);
  const afterDown = compareSnapshots(before, reverted, 'digest').map((one) => ({ after: 'down' as const, ...one }));
  if (againProblem !== undefined) {
    const end = failed(`after down it does not run again: ${againProblem}`, true);
    // That it fails is the consequence of what down has left.
    const outcome = afterDown.length > 0 ? 'different' : 'failed';
    return { ...end, outcome, differences: afterDown, filled: refilled };
  }
  const second = await takeSnapshot(scratch, session);
  const afterUp = compareSnapshots(first, second, 'count').map((one) => ({ after: 'second up' as const, ...one }));
  const differences = [...afterDown, ...afterUp];
  const isEqual = differences.length === 0;
  return {
    outcome: isEqual ? 'certified' : 'different',
    problem: null,
    differences,
    filled: refilled,
    isUsable: isEqual,
    isApplicable: true,
  };
}

async function takeSnapshot(scratch: Scratch, session: DatabaseSession): Promise<Snapshot> {
  return {
    catalog: await readCatalog(session),
    rows: await digestTables(session, scratch.signal),
    roles: await scratch.roles.present(),
  };
}

/** Columns that a catalog does not have, in tables that it has: new tables get rows of their own. */
function isNewSince(catalog: Catalog) {
  const columns = new Set(catalog.keys());
  return ({ qualified }: FillableTable, { name }: FillableColumn) =>
    columns.has(`table ${qualified}`) && !columns.has(`column ${qualified}."${name.replaceAll('"', '""')}"`);
}
