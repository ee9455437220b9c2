// `--dry-run`: says what a restore would do, and whether the target would take it. Reads the table of contents; changes nothing.

import type { Source } from '../../functions/shared/archive-data/read-stored.ts';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import type { Database } from '../../functions/shared/database.ts';
import { describeBytes } from '../../functions/shared/describe-amounts.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { quoteQualified } from '../../functions/shared/quote-identifier.ts';
import { checkObjects } from '../../functions/shared/restore/check-objects.ts';
import { type ChosenEntries, chooseEntries, describeSelection } from '../../functions/shared/restore/choose-entries.ts';
import type { OpenArchive } from '../../functions/shared/restore/open-archive.ts';
import { type RestoreIdentity, wouldGoOn } from '../../functions/shared/restore/restore-records.ts';
import { identityOf } from '../../functions/shared/restore/run-restore.ts';
import { refuseNonEmpty } from '../../functions/shared/restore/target-database.ts';
import { amount } from './describe-restore.ts';
import type { RestoreArguments } from './parse-arguments.ts';

interface PlanRequest {
  source: Source;
  archive: OpenArchive;
  options: RestoreArguments;
  target: Database;
  place: string;
}

/** Prints the plan; throws what the restore itself would be refused with. */
export async function printPlan({ source, archive, options, target, place }: PlanRequest): Promise<void> {
  const chosen = chooseEntries(archive, options.selection);
  await checkObjects(source, archive, chosen);
  const selection = describeSelection(options.selection);
  const state = await lookAtTarget(target, options, identityOf(archive.manifest, options.selection, options));
  console.log(
    `${state === 'begun' ? 'Would go on with the restore' : 'Would restore'} into ${place}${state === 'missing' ? ', which would be made' : ''}: ${selection}`,
  );
  for (const line of describePlan(chosen, archive.manifest)) console.log(line);
  console.log('Dry run: nothing was changed');
}

/** What the database is; throws when it holds something that the restore would be refused for. */
async function lookAtTarget(
  target: Database,
  options: RestoreArguments,
  identity: RestoreIdentity,
): Promise<'missing' | 'ready' | 'begun'> {
  try {
    return await target.withSession(async (session) => {
      await refuseNonEmpty(session, options.allowNonEmpty);
      return (await wouldGoOn(session, identity)) ? 'begun' : 'ready';
    });
  } catch (error) {
    if (options.create && error instanceof JobFailure && error.code === 'database.not_found') return 'missing';
    throw error;
  }
}

/** Definitions by kind, then the tables, the largest first. */
export function describePlan(chosen: ChosenEntries, manifest: BackupManifest): string[] {
  const kinds = new Map<string, number>();
  for (const { desc } of chosen.entries) kinds.set(desc, (kinds.get(desc) ?? 0) + 1);
  const stored = new Map(manifest.tables.map((table) => [table.dumpId, table]));
  const tables = chosen.tables.flatMap(({ dumpId }) => stored.get(dumpId) ?? []).toSorted((a, b) => b.bytes - a.bytes);
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return [
    `  ${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')}`,
    `  ${amount(tables.length, 'table')}, ${amount(rows, 'row')}, ${describeBytes(bytes)} of COPY text:`,
    ...tables.map(
      (table) =>
        `    ${quoteQualified(table.schema, table.name)}  ${amount(table.rows, 'row')}  ${describeBytes(table.bytes)}  ${amount(table.ranges.length, 'range')}`,
    ),
    ...chosen.leftOut.map((name) => `  left out, because it needs tables that were not chosen: ${name}`),
  ];
}
