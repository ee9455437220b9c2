// The contract of migrate: the event that starts it and the result that it answers, logs and records.
import * as z from 'zod';
import { jobEventSchema } from '../shared/job-event.ts';
import { driftResultSchema } from './drift/contract.ts';
import { lintFindingSchema } from './lint/lint-finding.ts';
import { longReportSchema } from './long/long-step.ts';
import { lossSchema } from './loss-contract.ts';
import { planResultShape } from './plan/contract.ts';
import { PLAN_HASH } from './plan/plan-hash.ts';
import { rehearsalResultSchema } from './rehearse/contract.ts';
import { verifyMigrationsResultSchema } from './verify/contract.ts';

const ACTIONS = ['status', 'plan', 'lint', 'rehearse', 'up', 'down', 'verify', 'baseline', 'repair'] as const;

/** Actions that change the database: they must say who asked. */
const CHANGING: ReadonlySet<string> = new Set(['up', 'down', 'baseline', 'repair']);
const TAKES_TARGET: ReadonlySet<string> = new Set(['plan', 'rehearse', 'up', 'down', 'verify', 'baseline']);
const TAKES_START: ReadonlySet<string> = new Set(['verify']);

export const migrateEventSchema = jobEventSchema('migrate', {
  action: z
    .enum(ACTIONS)
    .describe(
      'status: say what is applied; plan: say whether up may run now, and why not; lint: look for what is dangerous; rehearse: run pending files on a copy of the schema; up: apply pending files; down: revert the newest; verify: prove in a scratch database that files can be reverted; baseline: say that a database which was made otherwise has the first files already; repair: clear what a broken long statement has left',
    ),
  to: z
    .int()
    .min(0)
    .max(9999)
    .optional()
    .describe(
      'number of the migration that is the newest afterwards; without it, up applies all and down reverts one; 0 reverts all; baseline must have it',
    ),
  from: z.int().min(1).max(9999).optional().describe('verify only: number of the first migration to prove'),
  plan: z
    .string()
    .regex(PLAN_HASH)
    .optional()
    .describe('up only: the hash that plan has answered; up refuses when files, history or schema have moved since'),
  rehearse: z
    .boolean()
    .optional()
    .describe('plan only: false leaves the rehearsal out; what it would tell is then not known'),
  drift: z
    .boolean()
    .optional()
    .describe('status only: true compares the live catalog with what the migrations make in a scratch database'),
  confirmLoss: z
    .boolean()
    .optional()
    .describe('down only: true says that the rows and columns which its dry run names may be lost'),
}).superRefine((event, context) => {
  const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (CHANGING.has(event.action) && event.requestedBy === undefined) {
    issue('requestedBy', `${event.action} must say who asked for it`);
  }
  if (!TAKES_TARGET.has(event.action) && event.to !== undefined) issue('to', `${event.action} takes no target`);
  if (event.action === 'baseline' && (event.to ?? 0) === 0)
    issue('to', 'baseline must name the newest file that is there');
  if (!TAKES_START.has(event.action) && event.from !== undefined) issue('from', `${event.action} takes no start`);
  if (event.action !== 'up' && event.plan !== undefined) issue('plan', `${event.action} is bound to no plan`);
  if (event.action !== 'plan' && event.rehearse !== undefined) issue('rehearse', `${event.action} has no choice of it`);
  if (event.action !== 'status' && event.drift !== undefined) issue('drift', `${event.action} compares no catalog`);
  if (event.action !== 'down' && event.confirmLoss !== undefined) issue('confirmLoss', `${event.action} loses nothing`);
});

export type MigrateEvent = z.output<typeof migrateEventSchema>;

const count = z.int().min(0);
const migration = z.strictObject({ number: z.int(), name: z.string() });
const direction = z.enum(['up', 'down']);

/** What every answer says of the files. */
const stateShape = {
  current: count.describe('number of the newest applied migration after this run; 0 when none is applied'),
  pending: z.array(migration).describe('files that are not applied after this run'),
  halfDone: z
    .strictObject({
      ...migration.shape,
      direction,
      statementsDone: count,
      statements: count,
      since: z.iso.datetime(),
    })
    .nullable()
    .describe('a file of which only some statements are committed'),
  running: longReportSchema.nullable().describe('the statement that runs alone, in the server or between two runs'),
};

const doneFile = z.strictObject({ ...migration.shape, direction, statements: count, durationMs: count });

export type DoneFile = z.output<typeof doneFile>;

const statusResult = z.strictObject({
  action: z.literal('status'),
  dryRun: z.boolean(),
  ...stateShape,
  changed: z.array(z.string()).describe('applied files whose text is no longer the one that was run'),
  drift: driftResultSchema.nullable().describe('null: not asked for'),
  downTo: count.describe(
    'where down without a target would go; whoever may have to ask twice for one down names it, or two files are reverted',
  ),
});

const runResult = z.strictObject({
  action: direction,
  dryRun: z.literal(false),
  status: z
    .enum(['done', 'running'])
    .describe('running: the server, or the next run, goes on; ask for the status, or run the same again'),
  ...stateShape,
  done: z.array(doneFile).describe('what this run applied or reverted, in that order'),
});

export type RunResult = z.output<typeof runResult>;

const dryRunResult = z.strictObject({
  action: direction,
  dryRun: z.literal(true),
  ...stateShape,
  planned: z
    .array(z.strictObject({ file: z.string(), statements: z.array(z.string()) }))
    .describe('files that would be run, each statement as line and first line'),
  sql: z.string().describe('everything that would be sent, in order'),
  loses: z.array(lossSchema).describe('down only: tables, columns and rows that the files would remove'),
});

const markResult = z.strictObject({
  action: z.enum(['baseline', 'repair']),
  dryRun: z.boolean(),
  ...stateShape,
  changes: z.array(z.string()).describe('what was changed, or would be by a run that is not dry'),
});

const dryRun = z.boolean();

const lintResult = z.strictObject({
  action: z.literal('lint'),
  dryRun,
  ...stateShape,
  errors: count,
  warnings: count,
  findings: z.array(lintFindingSchema),
});

const planResult = z.strictObject({ action: z.literal('plan'), dryRun, ...stateShape, ...planResultShape });

const rehearseResult = z.strictObject({
  action: z.literal('rehearse'),
  dryRun,
  ...stateShape,
  ...rehearsalResultSchema.shape,
});

const verifyResult = z.strictObject({
  action: z.literal('verify'),
  dryRun,
  ...stateShape,
  ...verifyMigrationsResultSchema.shape,
});

export const migrateResultSchema = z.union([
  statusResult,
  planResult,
  lintResult,
  rehearseResult,
  runResult,
  dryRunResult,
  verifyResult,
  markResult,
]);

export type MigrateResult = z.output<typeof migrateResultSchema>;
