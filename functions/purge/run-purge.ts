// Purge from policies to result: lock, check, then one policy after the other. Deletes nothing without a policy row.
import { requireAdvisoryLock } from '../shared/advisory-lock.ts';
import type { Database, DatabaseSession } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { JobContext } from '../shared/job-handler.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { PolicyResult, PurgeEvent, PurgeResult } from './contract.ts';
import { prepareErasure } from './erase/prepare-erasure.ts';
import { explainFailure } from './explain-failure.ts';
import { readLinkGraph } from './links/read-graph.ts';
import { planHash, requirePlan } from './plan/plan-hash.ts';
import { orderPolicies } from './policy/order-policies.ts';
import { prepareRows } from './policy/prepare-rows.ts';
import { type RetentionPolicy, readPolicies } from './policy/read-policies.ts';
import type { PurgeContext, PurgeProgress } from './purge-context.ts';
import { planPartitions, runPartitions } from './run-partitions.ts';
import {
  finishedBefore,
  type Piece,
  pieceOfErasure,
  pieceOfPolicy,
  planPiece,
  runPiece,
  shapeOfPiece,
} from './run-policy.ts';
import { closeVanishedRuns } from './state/run-state.ts';

/** A batch must end before the function does; it is cancelled and tried again smaller. */
const LONGEST_BATCH_STATEMENT_MS = 25_000;

export interface PurgeDependencies
  extends Pick<JobContext, 'runId' | 'clock' | 'log' | 'metrics' | 'signal' | 'store'>,
    Pick<PurgeContext, 'database' | 'settings' | 'signingKey'> {
  readonly connection: Database;
  readonly event: PurgeEvent;
  /** From the start of the run to where its signal is aborted; undefined: by hand, without an end. */
  readonly timeLimitMs: number | undefined;
  readonly onProgress?: ((progress: PurgeProgress) => void) | undefined;
}

/**
 * Carries out the policies or an erasure, or plans them when the event asks for a dry run.
 *
 * A policy that is refused or fails does not keep the others from running; the run throws at its end then. A second run
 * beside this one throws `job.locked` naming it.
 */
export async function runPurge(deps: PurgeDependencies): Promise<PurgeResult> {
  const dryRun = deps.event.dryRun ?? false;
  return await deps.connection.withSession(async (session) => {
    await session.query(readSqlFile('purge/session.sql'));
    await session.query(
      `set statement_timeout = ${Math.min(deps.settings.statementTimeoutMs, LONGEST_BATCH_STATEMENT_MS)}`,
    );
    let unlock = async () => {};
    if (!dryRun) {
      unlock = await requireAdvisoryLock(session, {
        name: 'nightshift:purge',
        mode: 'exclusive',
        job: 'purge',
        safeState: 'Nothing was deleted',
      });
    }
    const policies = deps.event.subject === undefined ? await readPolicies(session, deps.event.policyId) : [];
    if (!dryRun) await closeVanishedRuns(session, deps.log);
    if (policies.length === 0 && deps.event.subject === undefined) deps.log.info('purge.no_policy');
    const context = await contextOf(deps, session);
    const done = dryRun ? await planAll(deps, context, policies) : await runAll(deps, context, policies);
    // A session that is gone has no lock to give back. Not in a finally: after any error it is closed, lock and all.
    if (done.failures.some(({ code }) => code === 'database.session_lost')) throw joinFailures(done);
    // What has failed is told, and not that the session went with it, as while S3 did not answer.
    await unlock().catch((error: unknown) => {
      if (done.failures.length === 0) throw error;
    });
    if (!dryRun) putMetrics(deps, done);
    if (done.failures.length > 0) throw joinFailures(done);
    const pii = await session.query<{ table: string; columns: string[] }>(readSqlFile('purge/pii-without-policy.sql'));
    const pauses = done.results.flatMap(({ pause }) => (pause === null ? [] : [pause.seconds]));
    return {
      dryRun,
      complete: done.isWhole && done.results.every(({ state }) => state === 'finished' || state === 'planned'),
      waitSeconds: Math.max(0, ...pauses),
      rowsDone: done.removed,
      planHash: done.hash ?? null,
      piiWithoutPolicy: pii.rows,
      policies: done.results,
    };
  });
}

interface Done {
  readonly results: PolicyResult[];
  readonly failures: JobFailure[];
  /** Rows of all tables. */
  removed: number;
  /** Whether every policy had its turn. */
  isWhole: boolean;
  hash?: string;
}

async function contextOf(deps: PurgeDependencies, session: DatabaseSession): Promise<PurgeContext> {
  const { clock, timeLimitMs, event } = deps;
  const startedMs = clock.monotonicMs();
  return {
    connection: deps.connection,
    session,
    clock,
    log: deps.log,
    signal: deps.signal,
    store: deps.store,
    database: deps.database,
    graph: await readLinkGraph(session),
    request: { requestId: deps.runId, requestedBy: event.requestedBy, executionId: event.executionId },
    settings: deps.settings,
    signingKey: deps.signingKey,
    timeLeftMs: () =>
      timeLimitMs === undefined
        ? deps.settings.statementTimeoutMs
        : Math.max(1, timeLimitMs - (clock.monotonicMs() - startedMs)),
    onProgress: deps.onProgress,
  };
}

/** The pieces of the event in the order in which they are carried out, each made only when its turn comes. */
async function piecesOf(
  deps: PurgeDependencies,
  context: PurgeContext,
  policies: readonly RetentionPolicy[],
): Promise<{ name: string; policy: RetentionPolicy | undefined; prepare: () => Promise<Piece> }[]> {
  const { subject } = deps.event;
  const { session, graph } = context;
  if (subject !== undefined) {
    const prepare = async () => pieceOfErasure(await prepareErasure(session, graph, subject), subject.reference);
    return [{ name: `erasure:${subject.reference}`, policy: undefined, prepare }];
  }
  return orderPolicies(graph, policies).map((policy) => ({
    name: policy.name,
    policy,
    prepare: async () =>
      pieceOfPolicy(policy, policy.action === 'drop_partition' ? [] : [await prepareRows(session, graph, policy)]),
  }));
}

async function planAll(deps: PurgeDependencies, context: PurgeContext, policies: RetentionPolicy[]): Promise<Done> {
  const done: Done = { results: [], failures: [], removed: 0, isWhole: true };
  const shapes: { policy: RetentionPolicy | undefined; shape: unknown }[] = [];
  for (const { name, policy, prepare } of await piecesOf(deps, context, policies)) {
    await oneByOne(deps, done, name, async () => {
      const piece = await prepare();
      const result =
        policy?.action === 'drop_partition' ? await planPartitions(context, piece) : await planPiece(context, piece);
      deps.log.info('purge.policy_planned', { ...result });
      done.results.push(result);
      shapes.push({ policy, shape: shapeOfPiece(piece) });
    });
  }
  done.hash = planHash(shapes);
  return done;
}

async function runAll(deps: PurgeDependencies, context: PurgeContext, policies: RetentionPolicy[]): Promise<Done> {
  const done: Done = { results: [], failures: [], removed: 0, isWhole: true };
  const pieces = await piecesOf(deps, context, policies);
  if (deps.event.plan !== undefined) {
    const shapes: { policy: RetentionPolicy | undefined; shape: unknown }[] = [];
    for (const { policy, prepare } of pieces) shapes.push({ policy, shape: shapeOfPiece(await prepare()) });
    requirePlan(deps.event.plan, planHash(shapes));
  }
  for (const { name, prepare } of pieces) {
    const isInterrupted = done.results.some(({ state }) => state === 'paused' || state === 'stopped');
    if (deps.signal.aborted || isInterrupted) {
      done.isWhole = false;
      break;
    }
    const goOn = await oneByOne(deps, done, name, async () => {
      const piece = await prepare();
      const before = await finishedBefore(context, piece.subject);
      if (before !== undefined) {
        done.results.push(before);
        return;
      }
      const run = piece.subject.action === 'drop_partition' ? runPartitions : runPiece;
      const { result, removed } = await run(context, piece);
      deps.log.info('purge.policy_carried_out', { ...result });
      done.results.push(result);
      done.removed += removed;
    });
    if (!goOn) break;
  }
  return done;
}

/** Keeps the failure of one from the others; false when nothing can run any more. */
async function oneByOne(deps: PurgeDependencies, done: Done, name: string, run: () => Promise<void>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    // A defect of this program must not look like a failure of the database.
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    const failure = explainFailure(name, 0, error);
    deps.log.error('purge.policy_failed', { policy: name, code: failure.code, problem: failure.problem });
    done.failures.push(failure);
    return failure.code !== 'database.session_lost';
  }
}

function putMetrics({ metrics }: PurgeDependencies, { results, removed }: Done): void {
  metrics.put('PurgedRows', removed);
  const slowest = Math.max(0, ...results.map(({ slowestBatchMs }) => slowestBatchMs));
  if (slowest > 0) metrics.put('PurgeBatchMs', slowest);
}

function joinFailures({ failures, results }: Done): JobFailure {
  const [first, ...more] = failures;
  if (first === undefined) throw new RangeError('there is no failure to join');
  const others = results.length === 0 ? '' : `; ${results.length} other policies were carried out`;
  return new JobFailure({
    code: first.code,
    problem: failures.map(({ problem }) => problem).join('; '),
    safeState: `${first.safeState}${others}`,
    hint: more.length === 0 ? first.hint : `for the first one: ${first.hint}`,
    cause: first.cause,
  });
}
