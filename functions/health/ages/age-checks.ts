// The checks that look at the bucket and not at the server: their ids, metrics and what is asked of each.
import type { MetricName } from '../../shared/metrics.ts';

/** The limits, in hours; a check without one is not made. */
export interface AgeLimits {
  readonly backup: number;
  readonly verified: number;
  readonly drill: number | undefined;
  readonly replica: number | undefined;
}

/** By id; each metric gets the value of its check, and no datapoint when there is none. */
export const ageChecks = {
  'backup-age': { limit: 'backup', metrics: ['BackupAgeHours'] },
  // What may be relied on is what would be left of the database: the two are one number with two readers.
  'verified-age': { limit: 'verified', metrics: ['VerifiedAgeHours', 'RpoHours'] },
  'drill-age': { limit: 'drill', metrics: ['DrillAgeHours'] },
  'replica-copy-age': { limit: 'replica', metrics: ['ReplicaCopyAgeHours'] },
} as const satisfies Record<string, { limit: keyof AgeLimits; metrics: readonly MetricName[] }>;

export type AgeCheckId = keyof typeof ageChecks;

/** In their order. */
export const ageCheckIds = Object.keys(ageChecks) as AgeCheckId[];
