// Decides which backups go, before anything is touched. Pure: the same backups and clock give the same plan.
import { type BackupState, countsAsBackup } from '../shared/backup-state.ts';
import { applyPolicy } from './apply-policy.ts';
import type { PlannedBackup } from './contract.ts';
import { describePolicy, type KeepPolicy } from './keep-policy.ts';
import { localCalendar } from './local-calendar.ts';

const DAY_MS = 86_400_000;

/** A daily job that was silent for so long has a clock that jumped, or a past that somebody must look at first. */
const LONGEST_SILENCE_DAYS = 45;

export interface ExpirySettings {
  keep: KeepPolicy;
  /** Buckets begin and end in it. */
  timeZone: string;
  keepAtLeast: number;
  keepUnverifiedDays: number;
  maxDeletePercent: number;
}

export interface ExpiringBackup {
  backupId: string;
  takenAt: string;
  bytes: number;
  state: BackupState | 'unknown';
}

export interface PlanRequest {
  backups: readonly ExpiringBackup[];
  settings: ExpirySettings;
  now: Date;
  /** End of the last good run; undefined when there was none; a text says why it is not known. */
  lastRun: Date | undefined | string;
  /** Manifests, evidence and claims that could not be read, as a person reads them. */
  unreadable: readonly string[];
  allowLargePlan: boolean;
  clockIsRight: boolean;
}

export interface ExpiryPlan {
  /** Newest first. */
  readonly backups: readonly PlannedBackup[];
  /** Why it may not be carried out; null when it may. */
  readonly refused: string | null;
}

/** Keeps what the policy keeps and what safety demands, each backup with its reasons; says why a plan may not be carried out. */
export function planExpiry(request: PlanRequest): ExpiryPlan {
  const newestFirst = request.backups.toSorted(newestFirstOrder);
  const kept = keepCounted(newestFirst, request.settings);
  const backups = newestFirst.map((backup, index): PlannedBackup => {
    const { backupId, takenAt, bytes, state } = backup;
    const { decision, reasons } =
      kept.get(backup) ?? decideUncounted(backup, newestFirst.slice(0, index), request.settings, request.now);
    const outcome = decision === 'keep' ? 'kept' : 'planned';
    return { backupId, takenAt, bytes, state, decision, reasons, outcome, lockedUntil: null };
  });
  const refusals = findRefusals(backups, request);
  return { backups, refused: refusals.length === 0 ? null : refusals.join('; ') };
}

type Decision = Pick<PlannedBackup, 'decision' | 'reasons'>;

function newestFirstOrder(a: ExpiringBackup, b: ExpiringBackup): number {
  return Date.parse(b.takenAt) - Date.parse(a.takenAt) || (a.backupId < b.backupId ? 1 : -1);
}

/** Whether a backup may fill a bucket: it is verified, and nothing speaks against it. */
export function counts(backup: Pick<ExpiringBackup, 'state'>): boolean {
  return backup.state !== 'unknown' && countsAsBackup(backup.state);
}

/** The decisions on the backups that count: only they fill buckets. */
function keepCounted(newestFirst: readonly ExpiringBackup[], settings: ExpirySettings): Map<ExpiringBackup, Decision> {
  const counted = newestFirst.filter(counts);
  const instants = counted.map(({ takenAt }) => new Date(takenAt));
  const reasons = isEmpty(settings.keep)
    ? counted.map(() => ['the policy is empty'])
    : applyPolicy(instants, settings.keep, localCalendar(settings.timeZone));
  reasons[0]?.push('newest verified');
  let missing = settings.keepAtLeast - reasons.filter((some) => some.length > 0).length;
  for (const some of reasons) {
    if (missing <= 0) break;
    if (some.length > 0) continue;
    some.push(`at least ${settings.keepAtLeast}`);
    missing -= 1;
  }
  return new Map(
    counted.map((backup, index) => {
      const own = reasons[index] ?? [];
      return [
        backup,
        own.length > 0
          ? { decision: 'keep', reasons: own }
          : { decision: 'delete', reasons: [`no rule keeps it (${describePolicy(settings.keep)})`] },
      ];
    }),
  );
}

/** A backup that does not count goes when it is old enough and a newer one that counts stands in for it. */
function decideUncounted(
  { takenAt, state }: ExpiringBackup,
  newer: readonly ExpiringBackup[],
  { keepUnverifiedDays }: ExpirySettings,
  now: Date,
): Decision {
  if (state === 'unknown') return { decision: 'keep', reasons: ['its evidence could not be read'] };
  const what = state === 'broken' ? 'broken' : 'not verified';
  const substitute = newer.find(counts);
  if (!substitute) return { decision: 'keep', reasons: [`${what}, but there is no newer verified one`] };
  if (now.getTime() - Date.parse(takenAt) <= keepUnverifiedDays * DAY_MS)
    return { decision: 'keep', reasons: [`${what}, kept for ${keepUnverifiedDays} days`] };
  return {
    decision: 'delete',
    reasons: [`${what} for more than ${keepUnverifiedDays} days, ${substitute.backupId} is newer and verified`],
  };
}

function isEmpty(policy: KeepPolicy): boolean {
  return Object.values(policy).every((rule) => rule === undefined);
}

function findRefusals(backups: readonly PlannedBackup[], request: PlanRequest): string[] {
  const { settings, now, lastRun } = request;
  const refusals = request.unreadable.map((problem) => `what cannot be read cannot be judged: ${problem}`);
  if (isEmpty(settings.keep)) refusals.push('the policy is empty: it has no rule that keeps a backup');
  const [newest] = backups;
  if (newest !== undefined && Date.parse(newest.takenAt) > now.getTime()) {
    refusals.push(
      `the newest backup "${newest.backupId}" was taken at ${newest.takenAt}, which is in the future of this function's clock (${now.toISOString()})`,
    );
  }
  const silent = request.clockIsRight ? null : describeSilence(lastRun, now);
  if (silent !== null) refusals.push(silent);
  const counted = backups.filter(counts);
  const deleted = counted.filter(({ decision }) => decision === 'delete').length;
  if (deleted * 100 > counted.length * settings.maxDeletePercent && !request.allowLargePlan) {
    refusals.push(
      `it would delete ${deleted} of ${counted.length} verified backups, more than ${settings.maxDeletePercent} % at once`,
    );
  }
  return refusals;
}

function describeSilence(lastRun: PlanRequest['lastRun'], now: Date): string | null {
  if (typeof lastRun === 'string') return `when expire ran last is not known: ${lastRun}`;
  if (lastRun === undefined) return null;
  const days = (now.getTime() - lastRun.getTime()) / DAY_MS;
  if (days <= LONGEST_SILENCE_DAYS) return null;
  return `the last good run ended at ${lastRun.toISOString()}, ${Math.floor(days)} days before this function's clock (${now.toISOString()}); at most ${LONGEST_SILENCE_DAYS} are allowed`;
}
