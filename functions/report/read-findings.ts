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
      action: z.enum(['delete', 'anonymise', 'drop_partition', 'erase']),
      cutoff: z.string().nullable(),
      state: z.enum(['finished', 'stopped', 'paused', 'planned']),
      pause: z.object({ reason: z.string() }).nullable(),
      rowsDone: z.number(),
      children: z.array(z.object({ deleted: z.number(), changed: z.number() })),
      skipped: z.object({ held: z.number(), referenced: z.number(), other: z.number() }),
      rowsLeft: z.number().nullable(),
      archive: z.object({ rows: z.number(), bytes: z.number() }).nullable(),
      partitions: z.array(z.object({ state: z.string() })),
      warnings: z.array(z.string()),
      vacuum: z.string().nullable(),
      certificateKey: z.string().nullable(),
    }),
  ),
});

const erasureShape = z.object({ policies: z.array(z.object({ action: z.literal('erase') })).min(1) });

export type HealthFinding = z.output<typeof healthShape>['checks'][number] & { seenAt: string };
export type PurgedPolicy = z.output<typeof purgeShape>['policies'][number];

export interface Findings {
  /** The newest answer of each check, worst first. */
  health: HealthFinding[];
  /** The policies of the newest purge, each as its newest pass tells it. */
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
  return {
    health: [...newest.values()].toSorted((a, b) => SEVERITY.indexOf(a.status) - SEVERITY.indexOf(b.status)),
    purge: readPurge(finished, problems),
    problems,
  };
}

/**
 * What the newest purge says of each policy, and the newest erasure of a person: what stands beside policies is not one of
 * their passes.
 */
function readPurge(finished: readonly RunRecord[], problems: string[]): PurgedPolicy[] {
  const records = finished.filter(({ job }) => job === 'purge');
  const isErasure = ({ result }: RunRecord) => erasureShape.safeParse(result).success;
  return [
    ...readPasses(
      records.filter((record) => !isErasure(record)),
      problems,
    ),
    ...readPasses(records.filter(isErasure), problems),
  ];
}

/** A policy that has finished in an earlier pass is not begun again, so each stands in the newest pass that did something for it. */
function readPasses(records: readonly RunRecord[], problems: string[]): PurgedPolicy[] {
  const policies = new Map<string, PurgedPolicy>();
  for (const [index, record] of records.entries()) {
    // It came to its end, so the newer ones are another purge.
    if (index > 0 && record.result['complete'] !== false) break;
    const { data } = purgeShape.safeParse(record.result);
    if (data === undefined) {
      problems.push(`the result of purge of ${record.finishedAt} could not be understood`);
      break;
    }
    for (const policy of data.policies) if (!policies.has(policy.policy)) policies.set(policy.policy, policy);
  }
  return [...policies.values()];
}
