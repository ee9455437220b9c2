// Accounts for every range and every large object of a plan before anything is called complete. Pure.
// A lost range restores without an error, so this is where a short backup is caught.
import { JobFailure } from '../../shared/job-failure.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import type { BackupPlan, CopiedLargeObject, CopiedRange, CopiedWork, PlannedTable } from '../plan/plan-contract.ts';

export interface CopiedTable {
  readonly table: PlannedTable;
  /** In the order of the blocks, from 0 to the end of the table without a gap. */
  readonly ranges: readonly CopiedRange[];
}

export interface CopiedContents {
  /** In the order of the archive. */
  readonly tables: readonly CopiedTable[];
  /** In order of OID. */
  readonly largeObjects: readonly CopiedLargeObject[];
}

/** Everything that was copied, sorted; throws `backup.incomplete` for whatever is missing or there twice. */
export function accountForWork(plan: BackupPlan, works: readonly CopiedWork[]): CopiedContents {
  const foreign = works.find(({ executionId }) => executionId !== plan.executionId);
  if (foreign) throw incomplete(`group ${foreign.group} was copied by another execution than the plan's`);
  const byTable = Map.groupBy(
    works.flatMap(({ ranges }) => ranges),
    ({ dumpId }) => dumpId,
  );
  const tables = plan.tables.map((table) => {
    const ranges = (byTable.get(table.dumpId) ?? []).toSorted((a, b) => a.blocks[0] - b.blocks[0]);
    byTable.delete(table.dumpId);
    refuseGaps(table, ranges);
    return { table, ranges };
  });
  const [unplanned] = byTable.keys();
  if (unplanned !== undefined) throw incomplete(`rows of entry ${unplanned} were copied but are not in the plan`);
  return { tables, largeObjects: accountForLargeObjects(plan, works) };
}

function refuseGaps(table: PlannedTable, ranges: readonly CopiedRange[]): void {
  const name = quoteQualified(table.schema, table.name);
  // A table that was planned as one range has an upload of its own when it had to be split.
  const uploadId = table.uploadId ?? (ranges.length > 1 ? (ranges[0]?.upload?.uploadId ?? 'none') : null);
  let next: number | null = 0;
  let lastPart = 0;
  for (const { blocks, upload, object } of ranges) {
    if (blocks[0] !== next) {
      throw incomplete(
        `table ${name} has a range from block ${blocks[0]} where ${next ?? 'no further one'} must begin`,
      );
    }
    next = blocks[1];
    const belongs = uploadId === null || upload?.uploadId === uploadId;
    if (!belongs || (upload === null) === (object === null)) {
      throw incomplete(`the range from block ${blocks[0]} of table ${name} does not belong to its upload`);
    }
    for (const { partNumber } of upload?.parts ?? []) {
      if (partNumber <= lastPart)
        throw incomplete(`part ${partNumber} of table ${name} is there twice or out of order`);
      lastPart = partNumber;
    }
  }
  if (next !== null) throw incomplete(`the rows of table ${name} from block ${next} on were not copied`);
}

function accountForLargeObjects(plan: BackupPlan, works: readonly CopiedWork[]): CopiedLargeObject[] {
  const planned = new Set(plan.largeObjects.flatMap(({ oids }) => oids));
  const copied = works.flatMap(({ largeObjects }) => largeObjects).toSorted((a, b) => a.oid - b.oid);
  for (const { oid } of copied) {
    if (!planned.delete(oid)) throw incomplete(`large object ${oid} is there twice or was not planned`);
  }
  const [missing] = planned;
  if (missing !== undefined) throw incomplete(`${planned.size} large objects are missing, the first is ${missing}`);
  return copied;
}

/** The failure of a backup of which something is missing. */
export function incomplete(problem: string): JobFailure {
  return new JobFailure({
    code: 'backup.incomplete',
    problem,
    safeState: 'No manifest was written, so this is no backup; earlier backups are as they were',
    hint: 'start the backup again; if it happens twice, keep the log and report it as a defect',
  });
}
