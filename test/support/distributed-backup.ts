// The steps of a distributed backup as the workflow would start them, each with a context of its own.
import { randomUUID } from 'node:crypto';
import type { BackupEvent, BackupResult, CopyResult, PlanResult } from '../../functions/backup/contract.ts';
import type { BackupJob } from '../../functions/backup/run-backup.ts';
import { runAbort } from '../../functions/backup/steps/run-abort.ts';
import { runCopy } from '../../functions/backup/steps/run-copy.ts';
import { runFinish } from '../../functions/backup/steps/run-finish.ts';
import { runPlan } from '../../functions/backup/steps/run-plan.ts';
import { inParallel } from '../../functions/shared/in-parallel.ts';
import type { BackupSource } from './backup-source.ts';
import { recordedContext } from './job-context.ts';

export interface DistributedBackup {
  readonly executionId: string;
  plan(more?: Partial<BackupJob>): Promise<PlanResult>;
  copy(group: number, pass?: number, more?: Partial<BackupJob>): Promise<CopyResult>;
  /** All groups, some at the same time, each as often as it asks for. */
  copyAll(groups: readonly number[], atOnce?: number): Promise<void>;
  finish(more?: Partial<BackupJob>): Promise<BackupResult>;
  abort(cause: string): Promise<never>;
}

let backups = 0;
const newExecution = (): string => randomUUID();

/** A backup at a scheduled time of its own, or at the given one. */
export function distributedBackup(
  source: BackupSource,
  {
    scheduledTime = new Date(Date.UTC(2027, 0, 1, 0, 0, (backups += 1))).toISOString(),
    executionId = newExecution(),
    settings = {},
  }: { scheduledTime?: string; executionId?: string; settings?: Partial<BackupJob['settings']> } = {},
): DistributedBackup {
  let backupId: string | undefined;
  const job = (event: Partial<BackupEvent>, more: Partial<BackupJob> = {}): BackupJob => ({
    ...recordedContext(),
    event: { job: 'backup', scheduledTime, executionId, ...event },
    settings: { ...source.settings, INLINE_LIMIT_GIB: 0, ...settings },
    ...more,
  });
  const copy = async (group: number, pass = 1, more: Partial<BackupJob> = {}) =>
    await runCopy(job({ step: 'copy', backupId, group, pass }, more));
  return {
    executionId,
    plan: async (more) => {
      const planned = await runPlan(job({ step: 'plan' }, more));
      backupId = planned.backupId ?? undefined;
      return planned;
    },
    copy,
    copyAll: async (groups, atOnce = 2) => {
      await inParallel(atOnce, groups, async (group) => {
        for (let answer = await copy(group); !answer.done; answer = await copy(group, answer.pass));
      });
    },
    finish: async (more) => await runFinish(job({ step: 'finish', backupId }, more)),
    abort: async (cause) => await runAbort(job({ step: 'abort', backupId, cause })),
  };
}
