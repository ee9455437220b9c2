// Compares the catalog of the restored database with the inventory of the backup: columns, indexes, constraints, triggers,
// views, functions and all else that has a definition.
import type { DatabaseSession } from '../../shared/database.ts';
import { type Inventory, type InventoryEntry, inventoryName } from '../../shared/inventory.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { readInventory } from '../../shared/read-inventory.ts';
import { type Comparison, comparison } from './comparison.ts';

/** Their own comparison tells more of them. */
const EXTENSION = 'extension';
/** Only since PostgreSQL 18; the column says it too. */
const SINCE_18 = 'not null constraint';
/** Every new database has it, and no archive takes it away. */
const PUBLIC = '"public"';

/** A table may be locked by the comparison of its rows; the end of the run ends this too. */
const WITHOUT_LIMIT = { lockTimeoutMs: 0, statementTimeoutMs: 0 };

interface DefinitionRequest {
  inventory: Inventory | undefined;
  /** Kinds that this restore does not bring back, as those of OWNERSHIP_KINDS. */
  leftOut: ReadonlySet<string>;
}

/**
 * Missing, too many, and different ones by name. Between two majors by name only: the server says definitions otherwise.
 *
 * A backup without inventory is no difference, but not proven. Must come before anything changes the restored database.
 */
export async function compareDefinitions(
  session: DatabaseSession,
  { inventory, leftOut }: DefinitionRequest,
): Promise<Comparison> {
  if (inventory === undefined) {
    return comparison({ notProven: ['definitions were not compared: this backup has no inventory'] });
  }
  if (inventory.entries === null) {
    const why = `its inventory could not be read when it was made (${inventory.problem ?? 'no reason is known'})`;
    return comparison({ notProven: [`definitions were not compared: ${why}`] });
  }
  const restored = await readRestored(session);
  const isSameMajor = restored.major === inventory.major;
  const isCompared = ([kind]: InventoryEntry) =>
    kind !== EXTENSION && !leftOut.has(kind) && (isSameMajor || kind !== SINCE_18);
  const expected = inventory.entries.filter(isCompared);
  const actual = new Map(
    restored.entries.filter(isCompared).map((entry) => [inventoryName(entry[0], entry[1]), entry[2]]),
  );
  const differences: Comparison['differences'] = [];
  for (const entry of expected) {
    const what = inventoryName(entry[0], entry[1]);
    const digest = actual.get(what);
    if (digest === undefined) differences.push({ what, expected: 'present', actual: 'missing' });
    else if (isSameMajor && entry[2] !== null && digest !== entry[2]) {
      differences.push({ what, expected: 'as in the source', actual: 'different' });
    }
    actual.delete(what);
  }
  for (const what of inventory.isFiltered ? [] : actual.keys()) {
    if (!what.endsWith(`schema ${PUBLIC}`)) differences.push({ what, expected: 'none', actual: 'present' });
  }
  const changed = expected.filter(([, , digest]) => digest === null);
  return comparison({
    differences,
    compared: { definitions: expected.length },
    findings: changed.map((entry) => ({
      what: inventoryName(entry[0], entry[1]),
      problem: 'it was changed while the backup began, so only its name was compared',
    })),
    notProven: isSameMajor
      ? []
      : [
          `definitions: only their names were compared, PostgreSQL ${restored.major} writes them otherwise than ${inventory.major}`,
        ],
  });
}

async function readRestored(session: DatabaseSession): Promise<{ major: number; entries: InventoryEntry[] }> {
  await session.query('begin isolation level repeatable read read only');
  const { major, entries, problem } = await readInventory(session, WITHOUT_LIMIT);
  await session.query('rollback');
  if (entries !== null) return { major, entries };
  throw new JobFailure({
    code: 'database.statement_failed',
    problem: `the catalog of the restored database could not be read: ${problem}`,
    safeState: 'The backup was not changed, and nothing is said about it',
    hint: 'look at the log of the server at this time, and drill again',
  });
}
