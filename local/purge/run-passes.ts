// Plans a purge and carries it out by the same code as the function, pass after pass until it is complete, as its workflow does.
import { randomUUID } from 'node:crypto';
import { type PurgeResult, purgeEvent } from '../../functions/purge/contract.ts';
import { requireVerifiedBackup } from '../../functions/purge/policy/require-verified-backup.ts';
import { purgeSettingsOf } from '../../functions/purge/purge-settings.ts';
import { runPurge } from '../../functions/purge/run-purge.ts';
import { describeDuration } from '../../functions/shared/describe-amounts.ts';
import { parseEvent } from '../../functions/shared/job-event.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { openSigningKey, type SigningKey } from '../../functions/shared/signing-key.ts';
import { amount } from '../restore/describe-restore.ts';
import type { PurgeCommand } from './command.ts';
import type { DatabaseAction } from './parse-arguments.ts';
import { printPlan, rowsToGo } from './print-plan.ts';
import { printRun } from './print-run.ts';
import { runSettings } from './run-settings.ts';

type PlanAction = Extract<DatabaseAction, { name: 'plan' }>;
type RunAction = Extract<DatabaseAction, { name: 'run' }>;

/** A wait is told this often. */
const TELL_EVERY_MS = 1_000;
/** A plan counts in the database and asks no bucket. */
const NO_BUCKET = 'no-bucket-is-needed';

/** What a run would do now. */
export async function showPlan(command: PurgeCommand, action: PlanAction): Promise<number> {
  const plan = await pass(command, action, { dryRun: true, store: createObjectStore(NO_BUCKET) });
  command.print(command.options.json ? JSON.stringify(plan, null, 2) : printPlan(plan, command.coloured));
  return 0;
}

/**
 * Carries it out and prints the result of the last pass, which counts those before it as well.
 *
 * Answers 1 when somebody has placed a stop flag, and when rows are left that neither a hold nor a reference keeps. Ctrl-C ends it
 * between two batches.
 */
export async function runToEnd(command: PurgeCommand, action: RunAction): Promise<number> {
  const { options, opened, clock, progress, signal } = command;
  const store = createObjectStore(action.bucket);
  const settings = runSettings(opened.config, clock.now());
  if (settings.VERIFIED_WITHIN_HOURS !== undefined)
    await requireVerifiedBackup(store, clock, opened.name, settings.VERIFIED_WITHIN_HOURS);
  const plan = await pass(command, action, { dryRun: true, store });
  progress.line(printPlan(plan, false));
  progress.expect(new Map(plan.policies.map((one) => [one.policy, rowsToGo(one)])));
  const keyArn = options.signingKeyArn ?? settings.SIGNING_KEY_ARN;
  const signingKey = keyArn === undefined ? undefined : openSigningKey(keyArn);
  const executionId = `by-hand-${randomUUID()}`;
  try {
    for (;;) {
      signal.throwIfAborted();
      const result = await pass(command, action, {
        dryRun: false,
        store,
        signingKey,
        executionId,
        // What is carried out is what was shown.
        plan: action.planHash ?? plan.planHash ?? undefined,
      });
      progress.clear();
      const flag = result.policies.find(({ state, pause }) => state === 'stopped' && pause !== null)?.pause;
      if (!result.complete && flag === undefined && !signal.aborted) {
        await wait(command, result);
        continue;
      }
      command.print(options.json ? JSON.stringify(result, null, 2) : printRun(result, command.coloured));
      signal.throwIfAborted();
      if (flag) progress.line(`${flag.reason}. Hint: npm run purge -- --go-on lifts it, and the same command goes on`);
      const unexplained = result.policies.filter(({ skipped }) => skipped.other > 0);
      for (const { policy, skipped } of unexplained)
        progress.line(
          `${policy}: ${amount(skipped.other, 'row')} past retention still there, locked by another session or kept by a trigger. Hint: run it again`,
        );
      return result.complete && unexplained.length === 0 ? 0 : 1;
    }
  } finally {
    signingKey?.close();
  }
}

interface Pass {
  dryRun: boolean;
  store: ObjectStore;
  signingKey?: SigningKey | undefined;
  executionId?: string;
  plan?: string | undefined;
}

async function pass(
  { options, opened, clock, progress, signal }: PurgeCommand,
  { policy, subject }: PlanAction | RunAction,
  { dryRun, store, signingKey, executionId, plan }: Pass,
): Promise<PurgeResult> {
  return await runPurge({
    connection: opened.database,
    database: opened.name,
    store,
    settings: purgeSettingsOf(runSettings(opened.config, clock.now())),
    signingKey,
    event: parseEvent('purge', purgeEvent, {
      job: 'purge',
      requestedBy: options.requestedBy,
      ...(dryRun ? { dryRun } : {}),
      ...(policy === undefined ? {} : { policyId: policy }),
      ...(subject === undefined ? {} : { subject }),
      ...(executionId === undefined ? {} : { executionId }),
      ...(plan === undefined ? {} : { plan }),
    }),
    runId: randomUUID(),
    clock,
    log: progress.log,
    metrics: { put: () => {}, flush: () => {} },
    signal,
    timeLimitMs: undefined,
    onProgress: progress.batchDone,
  });
}

/** Until the server has had its pause; ends early at Ctrl-C. */
async function wait({ clock, progress, signal }: PurgeCommand, { waitSeconds, policies }: PurgeResult): Promise<void> {
  const waiting = policies.find(({ pause }) => pause !== null);
  const untilMs = clock.monotonicMs() + waitSeconds * 1_000;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const leftMs = untilMs - clock.monotonicMs();
    if (leftMs <= 0) break;
    const text = `${waiting?.policy ?? 'purge'} waits: ${waiting?.pause?.reason ?? 'it goes on at once'}; goes on in ${describeDuration(leftMs)}`;
    progress.waits(text, isFirst);
    await clock.sleep(Math.min(TELL_EVERY_MS, leftMs), signal).catch(() => {});
  }
  progress.clear();
}
