// The expiry policy as it is written: restic's words, `within=30d,monthly=12`. Pure.
// environment.ts reads the variable with it, apply-policy.ts carries it out.

/** Kinds of natural calendar buckets, from the shortest. */
export const bucketKinds = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

export type BucketKind = (typeof bucketKinds)[number];

const countedRules = ['last', ...bucketKinds] as const;

/** restic's duration: years and months of the calendar, days, hours. */
export interface PolicyDuration {
  years: number;
  months: number;
  days: number;
  hours: number;
  /** As it was written. */
  text: string;
}

/** What is kept, all rules joined by "or"; a rule that is not there keeps nothing. */
export type KeepPolicy = { readonly [K in BucketKind | 'last']?: number } & { readonly within?: PolicyDuration };

/** The most backups that one rule may name; hourly for more than a year. */
export const MOST_KEPT = 10_000;

/** `2y5m7d3h`, any part left out but not all; undefined for anything else, and for no time at all. */
export function parseDuration(text: string): PolicyDuration | undefined {
  const found = /^(?:(\d{1,3})y)?(?:(\d{1,4})m)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?$/.exec(text);
  if (!found) return undefined;
  const [years = 0, months = 0, days = 0, hours = 0] = found.slice(1).map((digits) => Number(digits ?? 0));
  return years + months + days + hours > 0 ? { years, months, days, hours, text } : undefined;
}

/** The policy in a text; undefined when a rule is unknown, twice there or out of range, or when there is none. */
export function parseKeepPolicy(text: string): KeepPolicy | undefined {
  const rules = text.split(',').map((part) => part.trim().split('='));
  const policy = Object.fromEntries(rules.map(([name = '', amount = '']) => [name, parseRule(name, amount)]));
  const isWhole = rules.every((rule) => rule.length === 2) && Object.keys(policy).length === rules.length;
  return isWhole && Object.values(policy).every((rule) => rule !== undefined) ? policy : undefined;
}

function parseRule(name: string, amount: string): number | PolicyDuration | undefined {
  if (name === 'within') return parseDuration(amount);
  const count = /^\d{1,5}$/.test(amount) ? Number(amount) : 0;
  return countedRules.some((rule) => rule === name) && count >= 1 && count <= MOST_KEPT ? count : undefined;
}

/** `within 30d, monthly 12`, for people; blank for a policy without a rule. */
export function describePolicy(policy: KeepPolicy): string {
  const counts = countedRules.flatMap((rule) => {
    const count = policy[rule];
    return count === undefined ? [] : [`${rule} ${count}`];
  });
  return [...(policy.within ? [`within ${policy.within.text}`] : []), ...counts].join(', ');
}
