// The steps of a restore after the structure is there, with what each has to wait for. Pure.
// Dependencies are those of the archive, read as pg_restore -j reads them (fix_dependencies, repoint_table_dependencies).

import { storedFileName } from '../archive-toc/archive-file-names.ts';
import type { TocEntry } from '../archive-toc/toc-entry.ts';
import { backupKeys } from '../backup-layout.ts';
import type { BackupManifest } from '../backup-manifest.ts';
import { ArchiveDamage } from './archive-damage.ts';
import type { ChosenEntries } from './choose-entries.ts';
import { locksItsTables, restorePass } from './entry-kinds.ts';
import { type LargeObjectsStep, largeObjectSteps } from './load-large-objects.ts';
import type { RowsStep } from './load-rows.ts';
import type { OpenArchive } from './open-archive.ts';

export type RestoreTask = {
  /** In the records of the target. */
  name: string;
  /** Names of tasks that must be done before it. */
  after: readonly string[];
  /** Dump IDs of the tables that it works on, and whether nothing else may work on them meanwhile. */
  tables: readonly number[];
  isExclusive: boolean;
  /** Text or table bytes: the larger is begun first. */
  weight: number;
} & (
  | { kind: 'rows'; step: RowsStep }
  | { kind: 'large objects'; step: LargeObjectsStep }
  | { kind: 'sql'; entry: TocEntry }
);

/** A table is loaded in several steps when it alone would keep one worker busy for longer than all others together. */
const LARGEST_SHARE = 1;
const GROUPS_PER_SESSION = 2;

export interface StepSize {
  /** Sessions at the same time. */
  jobs: number;
  /** Of COPY text in one step, unless one range has more: what is lost when it is broken off. */
  mostBytes: number;
}

/** The name of an entry's step in the records. */
export function stepOfEntry({ dumpId }: TocEntry): string {
  return `entry ${dumpId}`;
}

/** Rows, large objects, sequences and all that is built on them, in the order of the archive. */
export function restoreTasks(archive: OpenArchive, chosen: ChosenEntries, size: StepSize): RestoreTask[] {
  const { entries } = chosen;
  const storedOf = storedTables(archive.manifest);
  const made = new Set(entries.filter(({ desc }) => desc === 'TABLE').map(({ dumpId }) => dumpId));
  const byDumpId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const { archiveFile } = backupKeys(archive.manifest.database, archive.manifest.backupId);
  const total = chosen.tables.reduce((sum, { dumpId }) => sum + (storedOf.get(dumpId)?.bytes ?? 0), 0);

  const rows = new Map<number, RestoreTask[]>();
  /** Dump ID of a table to that of its rows. */
  const rowsOf = new Map<number, number>();
  for (const table of chosen.tables) {
    const stored = storedOf.get(table.dumpId);
    const key = archiveFile(storedFileName(table.fileName, archive.manifest.codec));
    if (stored === undefined || stored.key !== key) {
      const what = `rows of table "${table.schema}"."${table.name}"`;
      throw new ArchiveDamage(archive.manifest.backupId, [
        { what, expected: stored?.key ?? 'not in the manifest', actual: `entry ${table.dumpId} of toc.dat` },
      ]);
    }
    const tableId = byDumpId.get(table.dumpId)?.dependencies.find((dumpId) => made.has(dumpId));
    if (tableId !== undefined) rowsOf.set(tableId, table.dumpId);
    const groups = groupRanges(stored, (total / size.jobs) * LARGEST_SHARE, size);
    const isParted = groups.length > 1;
    rows.set(
      table.dumpId,
      groups.map((ranges) => ({
        kind: 'rows',
        name: `rows ${table.dumpId}, ranges ${ranges[0]} to ${ranges.at(-1)}`,
        after: [],
        tables: [table.dumpId],
        isExclusive: false,
        weight: ranges.reduce((sum, index) => sum + (stored.ranges[index]?.bytes ?? 0), 0),
        step: {
          name: `rows ${table.dumpId}, ranges ${ranges[0]} to ${ranges.at(-1)}`,
          table,
          stored,
          ranges,
          isWholeOfOwnTable: !isParted && tableId !== undefined,
        },
      })),
    );
  }
  const large = entries.some(({ desc }) => desc === 'BLOBS') ? largeObjectSteps(archive.files.largeObjects) : [];
  const largeTasks = large.map(
    (step): RestoreTask => ({
      kind: 'large objects',
      name: step.name,
      after: [],
      tables: [],
      isExclusive: false,
      weight: step.objects.reduce((sum, { object }) => sum + object.bytes, 0),
      step,
    }),
  );
  const later = entries.filter(
    (entry) => (entry.section === 'post-data' || isOtherData(entry)) && restorePass(entry) === 'main',
  );
  const names = new Map<number, string[]>([
    ...[...rows].map(([dumpId, tasks]): [number, string[]] => [dumpId, tasks.map(({ name }) => name)]),
    ...later.map((entry): [number, string[]] => [entry.dumpId, [stepOfEntry(entry)]]),
  ]);
  const sql = later.map((entry): RestoreTask => {
    const needs = entry.dependencies.map((dumpId) =>
      entry.section === 'post-data' ? (rowsOf.get(dumpId) ?? dumpId) : dumpId,
    );
    const tables = needs.filter((dumpId) => rows.has(dumpId) || made.has(dumpId));
    return {
      kind: 'sql',
      name: stepOfEntry(entry),
      after: needs.flatMap((dumpId) => names.get(dumpId) ?? []),
      tables,
      isExclusive: locksItsTables(entry),
      weight: Math.max(0, ...tables.map((dumpId) => storedOf.get(dumpId)?.bytes ?? 0)),
      entry,
    };
  });
  return [...[...rows.values()].flat(), ...largeTasks, ...sql];
}

/**
 * The ranges of a table in groups of neighbours, each for one COPY: all together, unless the table outweighs the share of a
 * session or one COPY would take too long. A few more groups than sessions, so that the last one to end is short; not one for
 * each range, because each begins with a wait for S3.
 */
function groupRanges(
  { ranges, bytes }: BackupManifest['tables'][number],
  share: number,
  { jobs, mostBytes }: StepSize,
): number[][] {
  const forSessions = jobs > 1 && bytes > share ? jobs * GROUPS_PER_SESSION : 1;
  const count = Math.min(ranges.length, Math.max(forSessions, Math.ceil(bytes / mostBytes)));
  const from = (group: number) => Math.round((ranges.length * group) / count);
  return Array.from({ length: count }, (_, group) =>
    Array.from({ length: from(group + 1) - from(group) }, (__, index) => from(group) + index),
  );
}

/** SEQUENCE SET and the like: data that is SQL. */
function isOtherData({ section, desc }: TocEntry): boolean {
  return section === 'data' && desc !== 'TABLE DATA' && desc !== 'BLOBS';
}

function storedTables(manifest: BackupManifest): ReadonlyMap<number, BackupManifest['tables'][number]> {
  return new Map(manifest.tables.map((table) => [table.dumpId, table]));
}
