// One policy, or one erasure, from its preconditions to its certificate; and the plan of either.

import { purgeKeys } from '../shared/backup-layout.ts';
import { vacuumTables } from './after/vacuum.ts';
import { type CarriedOut, carryOut } from './batch/carry-out.ts';
import { certifySeries } from './certificate/certify-series.ts';
import type { PolicyResult } from './contract.ts';
import { type PreparedErasure } from './erase/prepare-erasure.ts';
import { holdsReader } from './keep/holds-in-play.ts';
import { shapeOf } from './plan/plan-hash.ts';
import { planRows } from './plan/plan-rows.ts';
import type { PreparedRows } from './policy/prepare-rows.ts';
import type { RetentionPolicy } from './policy/read-policies.ts';
import type { PurgeContext } from './purge-context.ts';
import { type RunSubject, readLastRun, readSeries, seriesTotals } from './state/run-state.ts';

/** A policy or an erasure whose preconditions hold. */
export interface Piece {
  readonly subject: RunSubject;
  /** Undefined: an erasure. */
  readonly policy: RetentionPolicy | undefined;
  readonly works: readonly PreparedRows[];
}

export function pieceOfPolicy(policy: RetentionPolicy, works: readonly PreparedRows[]): Piece {
  const subject = {
    name: policy.name,
    version: policy.version,
    action: policy.action,
    schema: policy.schema_name,
    table: policy.table_name,
    cutoff: policy.cutoff,
    reference: null,
  };
  return { subject, policy, works };
}

export function pieceOfErasure({ name, table, works }: PreparedErasure, reference: string): Piece {
  const { schema_name: schema, table_name: tableName } = table;
  const subject = { name, version: 0, action: 'erase' as const, schema, table: tableName, cutoff: null, reference };
  return { subject, policy: undefined, works };
}

/** What a result says before anything has been done. */
export function emptyResult(subject: RunSubject): PolicyResult {
  return {
    policy: subject.name,
    version: subject.version,
    table: `${subject.schema}.${subject.table}`,
    action: subject.action,
    cutoff: subject.cutoff,
    state: 'planned',
    pause: null,
    series: null,
    rowsDone: 0,
    children: [],
    skipped: { held: 0, referenced: 0, other: 0 },
    rowsLeft: null,
    oldest: null,
    archive: null,
    partitions: [],
    plan: null,
    warnings: [],
    vacuum: null,
    certificateKey: null,
    batches: 0,
    slowestBatchMs: 0,
    durationMs: 0,
  };
}

/** What a run of it would do now; nothing is locked or written. */
export async function planPiece(context: PurgeContext, { subject, policy, works }: Piece): Promise<PolicyResult> {
  const { session, clock, graph, settings } = context;
  const startedMs = clock.monotonicMs();
  const plans: Awaited<ReturnType<typeof planRows>>[] = [];
  for (const { work, known } of works) {
    plans.push(
      await planRows(session, {
        work: { ...work, archive: undefined },
        timestamp: policy?.timestamp_column,
        batchRows: Math.min(policy?.batch_rows ?? settings.batchRows, settings.batchRows),
        readHolds: holdsReader(graph, work.family, known),
        countTimeoutMs: () => Math.min(settings.statementTimeoutMs, context.timeLeftMs()),
      }),
    );
  }
  const own = plans.at(-1);
  if (own === undefined) throw new RangeError('a plan has at least one work');
  // Of an erasure the tables before the person's own are rows that go with it.
  const others = works.slice(0, -1).map(({ work }, index) => ({
    table: work.table.label,
    constraint: '',
    path: [work.table.label],
    action: work.action === 'anonymise' ? ('anonymised' as const) : ('deleted' as const),
    rows: plans[index]?.counts.rows ?? 0,
  }));
  const sum = (of: (one: (typeof plans)[number]) => number) => plans.reduce((total, one) => total + of(one), 0);
  const seconds = plans.map(({ plan }) => plan.estimatedSeconds);
  return {
    ...emptyResult(subject),
    skipped: {
      held: sum(({ counts }) => counts.held),
      referenced: sum(({ counts }) => counts.referenced),
      other: 0,
    },
    rowsLeft: own.counts.rows,
    oldest: own.counts.oldest,
    plan: {
      ...own.plan,
      children: policy === undefined ? others : own.plan.children,
      estimatedBatches: sum(({ plan }) => plan.estimatedBatches),
      estimatedSeconds: seconds.includes(null) ? null : sum(({ plan }) => plan.estimatedSeconds ?? 0),
      estimatedWalBytes: sum(({ plan }) => plan.estimatedWalBytes),
    },
    warnings: [...new Set(works.flatMap(({ warnings }) => warnings))],
    durationMs: Math.round(clock.monotonicMs() - startedMs),
  };
}

/** What its plan depends on besides the policy. */
export function shapeOfPiece({ works }: Piece): unknown {
  return works.map(({ work }) => shapeOf(work));
}

/** What an execution that has finished with it already says of it; undefined when it still has to be run. */
export async function finishedBefore(context: PurgeContext, subject: RunSubject): Promise<PolicyResult | undefined> {
  const { session, request } = context;
  const last = await readLastRun(session, subject);
  if (last?.state !== 'finished' || request.executionId === undefined) return undefined;
  if (last.executionId !== request.executionId) return undefined;
  const runs = await readSeries(session, last.series);
  const end = runs.at(-1);
  if (end === undefined || end.certificate_key === null) return undefined;
  const left = end.rows_left ?? 0;
  return {
    ...emptyResult(subject),
    ...seriesTotals(runs),
    cutoff: end.cutoff,
    state: 'finished',
    series: last.series,
    skipped: {
      held: end.rows_held,
      referenced: end.rows_referenced,
      other: left - end.rows_held - end.rows_referenced,
    },
    rowsLeft: end.rows_left,
    certificateKey: end.certificate_key,
  };
}

/** Carries it out until nothing is left that may go, until the signal is aborted or the server needs a pause. */
export async function runPiece(
  context: PurgeContext,
  { subject, policy, works }: Piece,
): Promise<{ result: PolicyResult; removed: number }> {
  const { session, clock } = context;
  const startedMs = clock.monotonicMs();
  const warnings = new Set(works.flatMap((prepared) => prepared.warnings));
  const last = await readLastRun(session, subject);
  if (last?.state === 'finished') await certifyLate(context, subject, last.series, warnings);
  const done = await carryOut(context, {
    subject,
    works,
    last,
    mostRows: policy?.batch_rows ?? undefined,
    archives: policy?.archive_before_delete ?? false,
  });
  for (const warning of done.outcome.warnings) warnings.add(warning);
  const after = await finish(context, { subject, works }, done, warnings);
  const { outcome, progress } = done;
  return {
    removed: removedBy(done),
    result: {
      ...emptyResult(subject),
      ...seriesTotals(await readSeries(session, done.series)),
      state: outcome.state,
      pause: outcome.pause ?? null,
      series: done.series,
      skipped: done.skipped,
      rowsLeft: outcome.left?.rows ?? null,
      oldest: outcome.left?.oldest ?? null,
      ...after,
      warnings: [...warnings],
      slowestBatchMs: progress.slowestBatchMs,
      durationMs: Math.round(clock.monotonicMs() - startedMs),
    },
  };
}

/** Rows of this table and of all others that the run has removed or changed. */
function removedBy({ progress }: CarriedOut): number {
  const others = [...progress.children.values()].reduce((total, { deleted, changed }) => total + deleted + changed, 0);
  return progress.done + others;
}

async function finish(
  context: PurgeContext,
  { subject, works }: Pick<Piece, 'subject' | 'works'>,
  done: CarriedOut,
  warnings: Set<string>,
): Promise<Pick<PolicyResult, 'vacuum' | 'archive' | 'certificateKey'>> {
  if (done.outcome.state !== 'finished') return { vacuum: null, archive: null, certificateKey: null };
  const changed = new Set([...done.progress.children.keys(), ...(done.progress.done > 0 ? [labelOf(subject)] : [])]);
  const tables = new Map(works.flatMap(({ known }) => [...known.tables.values()]).map((table) => [table.label, table]));
  const vacuumed = await vacuumTables(
    context.session,
    [...changed].flatMap((label) => tables.get(label) ?? []),
    Math.min(context.settings.statementTimeoutMs, context.timeLeftMs()),
  );
  const certified = await certifySeries(context, subject, done.series, []);
  for (const warning of [...vacuumed.warnings, ...certified.warnings]) warnings.add(warning);
  if (certified.notSigned !== undefined) throw certified.notSigned;
  return {
    vacuum: vacuumed.outcome,
    archive: certified.archive ?? null,
    certificateKey: certified.certificateKey ?? null,
  };
}

function labelOf({ schema, table }: RunSubject): string {
  return `${schema}.${table}`;
}

/** The run before was killed between its last batch and its certificate, or KMS did not sign it. */
export async function certifyLate(
  context: PurgeContext,
  subject: RunSubject,
  series: string,
  warnings: Set<string>,
): Promise<void> {
  const runs = await readSeries(context.session, series);
  if (runs.at(-1)?.certificate_key !== null && !(await wantsSignature(context, subject, series))) return;
  const certified = await certifySeries(context, subject, series, []);
  if (certified.notSigned !== undefined) throw certified.notSigned;
  for (const warning of certified.warnings) warnings.add(warning);
  if (certified.certificateKey !== undefined) warnings.add(`the certificate of series ${series} was stored only now`);
}

async function wantsSignature(context: PurgeContext, subject: RunSubject, series: string): Promise<boolean> {
  if (context.signingKey === undefined) return false;
  return (await context.store.head(purgeKeys(context.database, subject.name, series).signature)) === undefined;
}
