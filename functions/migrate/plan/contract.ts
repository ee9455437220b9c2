// What plan answers: go, wait or have it approved, why, and the hash that binds up to this plan.
import * as z from 'zod';
import { lintFindingSchema } from '../lint/lint-finding.ts';
import { rehearsalResultSchema } from '../rehearse/contract.ts';

export const planReasonSchema = z.strictObject({
  level: z
    .enum(['wait', 'approve', 'note'])
    .describe('wait: it will pass by itself; approve: somebody must decide; note: nothing to do'),
  about: z.enum([
    'files',
    'lint',
    'rehearsal',
    'duration',
    'loss',
    'transactions',
    'locks',
    'replicas',
    'logical replication',
    'backup',
  ]),
  problem: z.string(),
  hint: z.string(),
});

export type PlanReason = z.output<typeof planReasonSchema>;

export const planResultShape = {
  verdict: z
    .enum(['GO', 'WAIT', 'NEEDS APPROVAL'])
    .describe('WAIT before NEEDS APPROVAL: what must be approved now may look different then'),
  reasons: z.array(planReasonSchema).describe('those that decide first'),
  hash: z
    .string()
    .nullable()
    .describe(
      'of the files to run, of the history and of the live schema; up with it refuses when one of them has moved; null: a lock of somebody hides the schema',
    ),
  files: z.array(z.string()).describe('those that up would run'),
  expectedSeconds: z.number().min(0).nullable().describe('of all statements, from the rehearsal; null: not known'),
  findings: z.array(lintFindingSchema),
  rehearsal: rehearsalResultSchema.nullable().describe('null: not asked for, or not possible'),
};

/** Of the most urgent reason. */
export function verdictOf(reasons: readonly PlanReason[]): 'GO' | 'WAIT' | 'NEEDS APPROVAL' {
  if (reasons.some(({ level }) => level === 'wait')) return 'WAIT';
  return reasons.some(({ level }) => level === 'approve') ? 'NEEDS APPROVAL' : 'GO';
}
