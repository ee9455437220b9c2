// Sorts the ids without a manifest: the remains of a half-deleted or crashed backup, and what may still be in the making.
// Pure. A backup in the making must never be among the remains, nor one that somebody has only hidden.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A function lives for 15 minutes at the most: nothing of an attempt that ended this long ago is still being written. */
export const AFTER_ATTEMPT_MS = HOUR_MS;
/** Longest life of a snapshot (20 h) and a day: nothing of this age is still being written. */
export const SURELY_ENDED_MS = 44 * HOUR_MS;

export interface Incomplete {
  backupId: string;
  /** By the claim of its attempt; undefined while it may be at work. */
  overSince: Date | 'without a claim' | undefined;
  /** When the last of its objects was stored. */
  lastWritten: Date;
  /** Since when a delete marker hides its manifest; undefined when there is no manifest under it. */
  hiddenSince: Date | undefined;
}

/**
 * Remains are those of attempts that ended an hour ago, by their claims; where there is no claim to ask, what has not been
 * written for 44 h and has a newer backup that counts to stand in for it. A hidden manifest is somebody's hand, who may want
 * it back: it and its archive stay for `keepUnverifiedDays`.
 *
 * This is how a run that was interrupted after it had deleted a manifest is finished by the next one.
 */
export function chooseLeftovers(
  incomplete: readonly Incomplete[],
  newestCounted: Date | undefined,
  keepUnverifiedDays: number,
  now: Date,
): { remains: string[]; leftAlone: string[] } {
  const since = (instant: Date) => now.getTime() - instant.getTime();
  const isRemain = ({ overSince, lastWritten, hiddenSince }: Incomplete): boolean => {
    if (overSince === undefined) return false;
    if (hiddenSince !== undefined && since(hiddenSince) <= keepUnverifiedDays * DAY_MS) return false;
    if (overSince !== 'without a claim') return since(overSince) >= AFTER_ATTEMPT_MS;
    return newestCounted !== undefined && newestCounted > lastWritten && since(lastWritten) >= SURELY_ENDED_MS;
  };
  const remains = incomplete.filter(isRemain).map(({ backupId }) => backupId);
  const leftAlone = incomplete.filter((one) => !isRemain(one)).map(({ backupId }) => backupId);
  return { remains, leftAlone };
}
