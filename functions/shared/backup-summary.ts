// What a person asks about a backup, in one flat record: the rows of the report and of `npm run backups`. Pure.
import { countsAsBackup } from './backup-state.ts';
import type { DrillRecord } from './drill-record.ts';
import type { ReadableBackup, StoredBackup } from './stored-backup.ts';

export interface BackupSummary {
  backupId: string;
  state: StoredBackup['state'];
  /** This and what follows is null when the manifest could not be read. */
  takenAt: string | null;
  finishedAt: string | null;
  /** Of all stored objects. */
  bytes: number | null;
  tables: number | null;
  rows: number | null;
  /** The newest one, whatever came out. */
  drill: Pick<DrillRecord, 'finishedAt' | 'outcome' | 'rtoSeconds'> | null;
  /** Why it is broken or unreadable. */
  problem: string | null;
}

export function summarizeBackup(backup: StoredBackup): BackupSummary {
  const { backupId, state, manifest } = backup;
  const drill = backup.state === 'unreadable' ? undefined : backup.evidence.drills.at(-1);
  return {
    backupId,
    state,
    takenAt: manifest?.takenAt ?? null,
    finishedAt: manifest?.finishedAt ?? null,
    bytes: manifest ? manifest.objects.reduce((sum, { bytes }) => sum + bytes, 0) : null,
    tables: manifest?.tables.length ?? null,
    rows: manifest ? manifest.tables.reduce((sum, { rows }) => sum + rows, 0) : null,
    drill: drill ? { finishedAt: drill.finishedAt, outcome: drill.outcome, rtoSeconds: drill.rtoSeconds } : null,
    problem: backup.state === 'unreadable' ? backup.problem : backup.state === 'broken' ? brokenBecause(backup) : null,
  };
}

/** Whether it may be relied on; what cannot be read may not. */
export function isCounted({ state }: { state: StoredBackup['state'] }): boolean {
  return state !== 'unreadable' && countsAsBackup(state);
}

/** By the snapshot; where that is not known by the id, which names nearly the same instant. */
export function newestFirst(summaries: readonly BackupSummary[]): BackupSummary[] {
  const instant = ({ takenAt, backupId }: BackupSummary) => takenAt?.replaceAll(/[-:]/g, '') ?? backupId;
  return summaries.toSorted((a, b) => instant(b).localeCompare(instant(a)));
}

function brokenBecause({ evidence }: ReadableBackup): string {
  const damaged = evidence.verifications.findLast(({ outcome }) => outcome === 'damaged');
  if (damaged !== undefined) {
    const [first] = damaged.findings;
    const count = `${damaged.findingCount} ${damaged.findingCount === 1 ? 'finding' : 'findings'} of verify`;
    return first === undefined ? count : `${count}, the first in ${first.object}: ${first.problem}`;
  }
  const drill = evidence.drills.findLast(({ outcome }) => outcome !== 'ok' && outcome !== 'unproven');
  if (drill !== undefined) return `restore drill: ${drill.outcome}: ${drill.problem ?? 'its record does not say why'}`;
  return 'all samples of verify together do not give the large objects of the manifest';
}
