// restic's policy on a list of instants: which are kept, and every reason for each. Pure; knows no state and no limit.
import { bucketKinds, type KeepPolicy } from './keep-policy.ts';
import type { LocalCalendar } from './local-calendar.ts';

/**
 * The reasons to keep each of the instants, which must be newest first; an empty list where no rule keeps it.
 *
 * As restic: the newest of each bucket that is not empty is kept, for as many buckets as the rule names; the oldest of all is
 * kept too while a rule has buckets left, so that the history is as long as it can be; `within` counts from the newest.
 */
export function applyPolicy(newestFirst: readonly Date[], policy: KeepPolicy, calendar: LocalCalendar): string[][] {
  const reasons: string[][] = newestFirst.map(() => []);
  const [newest] = newestFirst;
  if (newest === undefined) return reasons;

  if (policy.within) {
    const after = calendar.before(newest, policy.within);
    for (const [index, instant] of newestFirst.entries())
      if (instant > after) reasons[index]?.push(`within ${policy.within.text}`);
  }
  for (let index = 0; index < Math.min(policy.last ?? 0, newestFirst.length); index += 1)
    reasons[index]?.push(`last ${index + 1} of ${policy.last}`);
  const buckets = newestFirst.map((instant) => calendar.bucketsOf(instant));
  for (const kind of bucketKinds) {
    let left = policy[kind] ?? 0;
    let filled: string | undefined;
    for (const [index, { [kind]: bucket }] of buckets.entries()) {
      if (left === 0) break;
      const isOldest = index === newestFirst.length - 1;
      if (bucket === filled && !isOldest) continue;
      reasons[index]?.push(bucket === filled ? `oldest, ${kind} ${bucket}` : `${kind} ${bucket}`);
      filled = bucket;
      left -= 1;
    }
  }
  return reasons;
}
