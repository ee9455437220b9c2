// The comparison of a restored database with its backup, in items: each can be compared by itself, on any session, in any
// run of the drill, and asked again. Called by the drill once everything is restored; leaves the database as it was.
import type { DumpedContents } from '../../shared/archive-toc/dumped-contents.ts';
import type { BackupManifest } from '../../shared/backup-manifest.ts';
import type { Database, DatabaseSession } from '../../shared/database.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import type { Inventory } from '../../shared/inventory.ts';
import type { VerifiedTable } from '../../shared/verification.ts';
import { compareDefinitions } from './compare-definitions.ts';
import { compareExtensions } from './compare-extensions.ts';
import { compareLargeObjects } from './compare-large-objects.ts';
import { compareOtherTables } from './compare-other-tables.ts';
import { compareSequences } from './compare-sequences.ts';
import { compareTable, type ExpectedTable } from './compare-table.ts';
import { addComparisons, type Comparison, comparison } from './comparison.ts';
import type { Assertion } from './read-assertions.ts';
import { runAssertion } from './run-assertion.ts';

/** What a restored database must be equal to. */
export interface Expected {
  manifest: BackupManifest;
  /** Of the archive's own table of contents: in which columns the rows of a table were written. */
  contents: Pick<DumpedContents, 'tables'>;
  /** Of `<backup-id>/inventory.json`; undefined for a backup that has none. */
  inventory: Inventory | undefined;
  /** verifiedTables() of the backup; undefined when it was not verified: its rows can then only be counted. */
  verified: readonly VerifiedTable[] | undefined;
  /** Kinds of the inventory that this restore does not bring back: OWNERSHIP_KINDS with --no-owner --no-privileges. */
  leftOut: ReadonlySet<string>;
  assertions: readonly Assertion[];
}

/** One thing to compare; plain JSON, so that one run can leave it to another. */
export type ComparisonItem =
  | { kind: 'definitions' | 'extensions' | 'sequences' | 'large objects' | 'other tables' }
  | { kind: 'table'; index: number }
  | { kind: 'assertion'; file: string };

/** Everything there is to compare: the cheap things first, then the tables, those of most bytes first. */
export function comparisonItems({ manifest, assertions }: Pick<Expected, 'manifest' | 'assertions'>): ComparisonItem[] {
  const tables = manifest.tables
    .map(({ bytes }, index) => ({ bytes, index }))
    .toSorted((one, other) => other.bytes - one.bytes)
    .map(({ index }) => ({ kind: 'table' as const, index }));
  const cheap = (['definitions', 'extensions', 'sequences', 'other tables'] as const).map((kind) => ({ kind }));
  return [
    ...cheap,
    ...tables,
    { kind: 'large objects' },
    ...assertions.map(({ file }) => ({ kind: 'assertion' as const, file })),
  ];
}

/**
 * Compares one item; the session is of the scratch database, with row_security off, and in no transaction.
 *
 * A difference is an answer and no error. Errors are those of a lost session, an aborted signal, or a catalog that could
 * not be read; the session is then of no more use, and the item can be compared again on another.
 */
export async function compareItem(
  session: DatabaseSession,
  expected: Expected,
  item: ComparisonItem,
  signal: AbortSignal,
): Promise<Comparison> {
  const { manifest, inventory, assertions } = expected;
  signal.throwIfAborted();
  switch (item.kind) {
    case 'definitions':
      return await compareDefinitions(session, expected);
    case 'extensions':
      return await compareExtensions(session, manifest, inventory);
    case 'sequences':
      return await compareSequences(session, manifest, signal);
    case 'large objects':
      return await compareLargeObjects(session, manifest, signal);
    case 'other tables':
      return await compareOtherTables(session, manifest);
    case 'table':
      return await compareTable(session, expectedTable(expected, item.index), signal);
    default: {
      const assertion = assertions.find(({ file }) => file === item.file);
      if (assertion === undefined) throw new Error(`there is no assertion "${item.file}"`);
      return await runAssertion(session, assertion);
    }
  }
}

/** Compares all items on `sessionsAtOnce` sessions and adds the answers up, in the order of the items. */
export async function compareRestored(
  restored: Database,
  expected: Expected,
  { sessionsAtOnce, signal }: { sessionsAtOnce: number; signal: AbortSignal },
): Promise<Comparison> {
  const answers = await inParallel(
    sessionsAtOnce,
    comparisonItems(expected),
    async (item) => await restored.withSession(async (session) => await compareItem(session, expected, item, signal)),
  );
  return answers.reduce(addComparisons, comparison({}));
}

function expectedTable({ manifest, contents, inventory, verified }: Expected, index: number): ExpectedTable {
  const table = manifest.tables[index];
  if (table === undefined) throw new RangeError(`the manifest has ${manifest.tables.length} tables, not ${index + 1}`);
  const { schema, name, rows, dumpId } = table;
  const columns = contents.tables.find((one) => one.dumpId === dumpId)?.columns;
  const digest = verified?.find((one) => one.schema === schema && one.name === name)?.digest;
  const known = { schema, name, rows, columns: columns ?? [] };
  const onlyCounted = (why: string) => ({ ...known, contents: { notProven: `values of rows: only counted, ${why}` } });
  if (verified === undefined) return onlyCounted('because this backup was not verified');
  if (inventory === undefined) return onlyCounted('because this backup has no inventory');
  if (columns === undefined) return onlyCounted('because the archive does not name the columns of every table');
  if (digest === undefined) return onlyCounted('because the verification has no digest of every table');
  return { ...known, contents: { digest, lcMonetary: inventory.database.lcMonetary } };
}
