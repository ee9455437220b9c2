// Sorts the ids without a manifest: the remains of a half-deleted or crashed backup, and what may still be in the making.
// Pure. A backup in the making must never be among the remains.
import type { PlannedBackup } from './contract.ts';

/** Longest life of a backup (6 h) and a day: nothing of this age is still being written. */
const SURELY_ENDED_MS = 30 * 3_600_000;

/**
 * Remains are older than every kept backup (they would go even if they were complete) and older than 30 h.
 *
 * This is how a run that was interrupted after it had deleted a manifest is finished by the next one.
 */
export function chooseLeftovers(
  idsWithoutManifest: readonly string[],
  backups: readonly PlannedBackup[],
  now: Date,
): { remains: string[]; leftAlone: string[] } {
  const kept = backups.filter(({ decision }) => decision === 'keep').map(({ takenAt }) => Date.parse(takenAt));
  const before = kept.length === 0 ? -Infinity : Math.min(...kept, now.getTime() - SURELY_ENDED_MS);
  const remains = idsWithoutManifest.filter((id) => instantOfId(id) < before);
  return { remains, leftAlone: idsWithoutManifest.filter((id) => !remains.includes(id)) };
}

/** `20261122T020000Z-2` as epoch milliseconds; what is not a time is never old. */
function instantOfId(backupId: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z/.exec(backupId) ?? [];
  const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(instant) ? Infinity : instant;
}
