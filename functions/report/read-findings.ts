// Reads the results of health and purge out of their run records. What does not fit is a problem, never ok. Pure.
import * as z from 'zod';
import type { RunRecord } from '../shared/run-record.ts';

/** Only what the report shows; the jobs' own contracts hold more. */
const healthShape = z.object({
  checks: z.array(
    z.object({
      id: z.string(),
      status: z.enum(['ok', 'warning', 'critical', 'unknown']),
      value: z.number().nullable(),
      unit: z.string(),
      message: z.string(),
      fix: z.string().nullable(),
    }),
  ),
});

const purgeShape = z.object({
  policies: z.array(
    z.object({
      policy: z.string(),
      table: z.string(),
      cutoff: z.string(),
      state: z.enum(['finished', 'stopped', 'planned']),
      rowsDeleted: z.number(),
      skipped: z.object({ held: z.number(), referenced: z.number(), other: z.number() }),
      rowsLeft: z.number().nullable(),
    }),
  ),
});

export type HealthFinding = z.output<typeof healthShape>['checks'][number] & { seenAt: string };
export type PurgedPolicy = z.output<typeof purgeShape>['policies'][number];

export interface Findings {
  /** The newest answer of each check, worst first. */
  health: HealthFinding[];
  /** The policies of the newest purge. */
  purge: PurgedPolicy[];
  problems: string[];
}

const SEVERITY = ['critical', 'warning', 'unknown', 'ok'];

/** The findings in records that are ordered newest first; failed runs and dry runs have none. */
export function readFindings(records: readonly RunRecord[]): Findings {
  const problems: string[] = [];
  const finished = records.filter(({ outcome, dryRun }) => outcome === 'ok' && !dryRun);
  const newest = new Map<string, HealthFinding>();
  for (const record of finished.filter(({ job }) => job === 'health')) {
    const parsed = healthShape.safeParse(record.result);
    if (!parsed.success) problems.push(`the result of health of ${record.finishedAt} could not be understood`);
    for (const check of parsed.data?.checks ?? []) {
      if (!newest.has(check.id)) newest.set(check.id, { ...check, seenAt: record.finishedAt });
    }
  }
  const lastPurge = finished.find(({ job }) => job === 'purge');
  const purge = purgeShape.safeParse(lastPurge?.result ?? { policies: [] });
  if (!purge.success) problems.push(`the result of purge of ${lastPurge?.finishedAt ?? ''} could not be understood`);
  return {
    health: [...newest.values()].toSorted((a, b) => SEVERITY.indexOf(a.status) - SEVERITY.indexOf(b.status)),
    purge: purge.data?.policies ?? [],
    problems,
  };
}
