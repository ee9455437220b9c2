// The schema of the expiry policy in nightshift.config.ts: restic's rules, typed. It deletes, so no rule has a default.
import { z } from 'zod';
import { expireSettings } from '../functions/expire/environment.ts';
import { variable } from './config-fields.ts';

const rulesOf = {
  last: 'backups',
  hourly: 'hours',
  daily: 'days',
  weekly: 'ISO weeks',
  monthly: 'months',
  yearly: 'years',
};

function count(rule: keyof typeof rulesOf) {
  const allowed = 'must be a whole number from 1 to 10000';
  const isAllowed = (value: number) => expireSettings.KEEP_POLICY.parse(`${rule}=${value}`) !== undefined;
  const about =
    rule === 'last'
      ? 'The newest so many.'
      : `The newest of each of the last so many ${rulesOf[rule]} that have a backup.`;
  return z.int(allowed).refine(isAllowed, allowed).optional().describe(about);
}

const duration = 'must be a duration as "30d" or "1y6m7d12h": years, months, days, hours';

const keep = z
  .strictObject(
    {
      within: z
        .string(duration)
        .refine(
          (text) => !text.includes(',') && expireSettings.KEEP_POLICY.parse(`within=${text}`) !== undefined,
          duration,
        )
        .optional()
        .describe('All that are not older than the newest one by more than this.'),
      last: count('last'),
      hourly: count('hourly'),
      daily: count('daily'),
      weekly: count('weekly'),
      monthly: count('monthly'),
      yearly: count('yearly'),
    },
    'must be the rules that keep backups',
  )
  .refine(
    (rules) => Object.values(rules).some((rule) => rule !== undefined),
    'must have at least one rule: an empty policy keeps nothing',
  )
  .describe(
    'Which verified backups are kept, in the words of restic; one that any rule keeps is kept. Hours, days, ISO weeks, months and years are those of schedules.timeZone.',
  );

/** What is particular to the section of expire. */
export const expiryFields = {
  keep,
  keepAtLeast: variable(expireSettings.KEEP_AT_LEAST).describe(expireSettings.KEEP_AT_LEAST.summary),
  keepUnverifiedDays: variable(expireSettings.KEEP_UNVERIFIED_DAYS).describe(
    expireSettings.KEEP_UNVERIFIED_DAYS.summary,
  ),
  maxDeletePercent: variable(expireSettings.MAX_DELETE_PERCENT)
    .default(50)
    .describe(expireSettings.MAX_DELETE_PERCENT.summary),
};

/** The rules as the variable of the function: `within=30d,monthly=12`. */
export function keepPolicyText(rules: z.output<typeof keep>): string {
  return Object.entries(rules)
    .flatMap(([rule, amount]) => (amount === undefined ? [] : [`${rule}=${amount}`]))
    .join(',');
}
