// What starts a health run and what it answers.
import * as z from 'zod';
import { jobEventSchema } from '../shared/job-event.ts';

export const tiers = ['minute', 'quarter-hour', 'daily'] as const;
export type Tier = (typeof tiers)[number];

export const statuses = ['ok', 'warning', 'critical', 'unknown'] as const;
export type Status = (typeof statuses)[number];

export const units = ['percent', 'seconds', 'transactions', 'count', 'hours'] as const;
export type Unit = (typeof units)[number];

export const healthEvent = jobEventSchema('health', {
  tier: z
    .enum(tiers)
    .describe(
      'which checks run; a slower tier runs those of the faster ones as well. Runs of "minute" leave no record',
    ),
}).describe('Looks at the health of the database; changes nothing.');

export type HealthEvent = z.output<typeof healthEvent>;

export const checkResult = z.strictObject({
  id: z.string(),
  status: z.enum(statuses).describe('"unknown" means that the check could not look; it is never ok'),
  value: z.number().nullable().describe('the worst value found; null when it could not be read'),
  unit: z.enum(units),
  message: z.string().describe('what was found, with the object and the cause named'),
  fix: z.string().nullable().describe('SQL that helps, with the lock it takes as a comment'),
});

export type CheckResult = z.output<typeof checkResult>;

export const healthResult = z.strictObject({
  tier: z.enum(tiers),
  serverVersion: z.string(),
  inRecovery: z.boolean().describe('true on a replica'),
  counts: z.strictObject({ ok: z.int(), warning: z.int(), critical: z.int(), unknown: z.int() }),
  checks: z.array(checkResult).describe('worst first'),
});

export type HealthResult = z.output<typeof healthResult>;
