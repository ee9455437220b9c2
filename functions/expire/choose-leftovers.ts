// Sorts the ids without a manifest: the remains of a half-deleted or crashed backup, and what may still be in the making.
// Pure. A backup in the making must never be among the remains.
import type { PlannedBackup } from './contract.ts';

/** A function lives for 15 minutes at the most: nothing of an attempt that ended this long ago is still being written. */
export const AFTER_ATTEMPT_MS = 3_600_000;
/** Longest life of a snapshot (20 h) and half of that to finish: nothing of this age is still being written. */
const SURELY_ENDED_MS = 30 * 3_600_000;

/**
 * Remains are those of attempts that ended an hour ago, by their claims; and, where there is no claim to ask, what is
 * older than every kept backup (it would go even if it were complete) and older than 30 h.
 *
 * This is how a run that was interrupted after it had deleted a manifest is finished by the next one.
 */
export function chooseLeftovers(
  idsWithoutManifest: readonly string[],
  backups: readonly PlannedBackup[],
  overSince: ReadonlyMap<string, Date | 'without a claim' | undefined>,
  now: Date,
): { remains: string[]; leftAlone: string[] } {
  const kept = backups.filter(({ decision }) => decision === 'keep').map(({ takenAt }) => Date.parse(takenAt));
  const before = kept.length === 0 ? -Infinity : Math.min(...kept, now.getTime() - SURELY_ENDED_MS);
  const remains = idsWithoutManifest.filter((id) => {
    const over = overSince.get(id);
    if (over === 'without a claim') return instantOfId(id) < before;
    return over !== undefined && now.getTime() - over.getTime() >= AFTER_ATTEMPT_MS;
  });
  return { remains, leftAlone: idsWithoutManifest.filter((id) => !remains.includes(id)) };
}

/** `20261122T020000Z-2` as epoch milliseconds; what is not a time is never old. */
function instantOfId(backupId: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z/.exec(backupId) ?? [];
  const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(instant) ? Infinity : instant;
}
