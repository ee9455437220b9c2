// Decides which backups go, before anything is touched. Pure: the same backups and clock give the same plan.
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { PlannedBackup } from './contract.ts';

export interface ExpiryPlan {
  /** Newest first. */
  readonly backups: readonly PlannedBackup[];
  /** Why it may not be carried out; null when it may. */
  readonly refused: string | null;
}

interface PlanRequest {
  manifests: readonly Pick<BackupManifest, 'backupId' | 'takenAt'>[];
  keepLast: number;
  now: Date;
  allowLargePlan: boolean;
}

/** Keeps the newest `keepLast` backups by the instant of their snapshot; says why a plan breaks a safety rule. */
export function planExpiry(request: PlanRequest): ExpiryPlan {
  const newestFirst = request.manifests.toSorted(
    (a, b) => Date.parse(b.takenAt) - Date.parse(a.takenAt) || b.backupId.localeCompare(a.backupId),
  );
  const backups = newestFirst.map(({ backupId, takenAt }, index): PlannedBackup => {
    const rank = `number ${index + 1} of ${newestFirst.length}, newest first`;
    return index < request.keepLast
      ? {
          backupId,
          takenAt,
          decision: 'keep',
          reason: `${rank}: among the newest ${request.keepLast}`,
          outcome: 'kept',
        }
      : {
          backupId,
          takenAt,
          decision: 'delete',
          reason: `${rank}: KEEP_LAST is ${request.keepLast}`,
          outcome: 'planned',
        };
  });
  return { backups, refused: findRefusal(backups, request) };
}

function findRefusal(backups: readonly PlannedBackup[], request: PlanRequest): string | null {
  const [newest] = backups;
  if (newest === undefined) return null;
  if (Date.parse(newest.takenAt) > request.now.getTime()) {
    return `the newest backup "${newest.backupId}" was taken at ${newest.takenAt}, which is in the future of this function's clock (${request.now.toISOString()})`;
  }
  const deleted = backups.filter(({ decision }) => decision === 'delete').length;
  // KEEP_LAST is at least 1, so this cannot happen; it is what must never happen, so it is asked again.
  if (deleted === backups.length) return `it would delete all ${backups.length} backups`;
  if (deleted * 2 > backups.length && !request.allowLargePlan) {
    return `it would delete ${deleted} of ${backups.length} backups, more than half at once`;
  }
  return null;
}
