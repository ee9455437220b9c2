// What the facts of the bucket mean: one result per check. Pure. A limit that is passed is critical; what could not be read is
// unknown; neither "no backup" nor "could not look" has a value, so no metric can look well.
import type { UnreadableBackup } from '../../shared/stored-backup.ts';
import type { CheckResult, Status } from '../contract.ts';
import { describeCount, describeSeconds } from '../describe-finding.ts';
import { type AgeCheckId, type AgeLimits, ageCheckIds, ageChecks } from './age-checks.ts';
import type { CopyProgress } from './check-copies.ts';
import type { AgeFacts } from './read-ages.ts';

interface Judged {
  status: Status;
  value: number | null;
  message: string;
}

/** Snapshots carry the server's time, this function has its own: a larger difference is a wrong clock. */
const CLOCK_DIFFERENCE_HOURS = 5 / 60;

/** One result for each check that has a limit; `facts` is the reason why nothing could be read where that is so. */
export function judgeAges(facts: AgeFacts | string, limits: AgeLimits): CheckResult[] {
  return ageCheckIds.flatMap((id) => {
    const limit = limits[ageChecks[id].limit];
    if (limit === undefined) return [];
    const judged =
      typeof facts === 'string'
        ? unknown(`the bucket of the backups could not be read: ${facts}`)
        : JUDGES[id](facts, limit);
    return [{ id, unit: 'hours' as const, fix: null, ...judged }];
  });
}

const JUDGES: Readonly<Record<AgeCheckId, (facts: AgeFacts, limit: number) => Judged>> = {
  'backup-age': (facts, limit) => {
    const { newest, broken, unreadable } = facts;
    const blind = newerUnreadable(unreadable, newest?.backupId);
    if (blind !== undefined) return unknown(`backup ${blind.backupId} cannot be read: ${blind.problem}`);
    if (newest === undefined) return critical(`there is no backup${among(facts, 'whole')}`);
    const passedOver = broken.filter(({ backupId }) => backupId > newest.backupId);
    const rest =
      passedOver.length === 0
        ? ''
        : `; ${listIds(passedOver)} ${passedOver.length === 1 ? 'is' : 'are'} newer and broken`;
    return grade(
      facts.now,
      newest.manifest.takenAt,
      limit,
      (age) => `the newest backup ${newest.backupId} is ${age} old${rest}`,
    );
  },

  'verified-age': (facts, limit) => {
    const { counted, newest, unreadable } = facts;
    const blind = newerUnreadable(unreadable, counted?.backupId);
    if (blind !== undefined) return unknown(`backup ${blind.backupId} cannot be read: ${blind.problem}`);
    if (counted === undefined) {
      const rest = newest === undefined ? '' : `; ${newest.backupId} was not verified`;
      return critical(`there is no backup that may be relied on${among(facts, 'verified')}${rest}`);
    }
    const rest =
      newest !== undefined && newest.backupId > counted.backupId
        ? `; ${newest.backupId} is newer and not verified`
        : '';
    return grade(
      facts.now,
      counted.manifest.takenAt,
      limit,
      (age) =>
        `the last ${age} would be lost with the database: ${counted.backupId} is the newest ${counted.state} backup${rest}`,
    );
  },

  'drill-age': (facts, limit) => {
    const { drill, drillProblem, unreadable, idsLeft } = facts;
    if (drill === undefined) {
      if (drillProblem !== undefined) return unknown(`the last restore drill cannot be read: ${drillProblem}`);
      const [first] = unreadable;
      if (first !== undefined) return unknown(`backup ${first.backupId} cannot be read: ${first.problem}`);
      return critical(
        `no restore drill that was ok is known${idsLeft > 0 ? `, neither from its runs nor beside the backups of the last ${describeSeconds(limit * 3_600)}` : ''}`,
      );
    }
    return grade(
      facts.now,
      drill.finishedAt,
      limit,
      (age) => `the last restore drill that was ok is ${age} ago: it restored ${drill.backupId}`,
    );
  },

  'replica-copy-age': (facts, limit) => {
    const { copies, unreadable } = facts;
    if (copies === undefined || copies.problem !== undefined)
      return unknown(`what is copied could not be asked: ${copies?.problem ?? 'no answer'}`);
    const failed = copies.seen.find(({ stuck }) => stuck?.status === 'FAILED');
    const copied = copies.seen.find((one) => one.copied === one.total);
    const rest = copies.seen
      .filter((one) => one !== copied)
      .map((one) => `; ${describeProgress(one)}`)
      .join('');
    if (copied !== undefined) {
      const { backup } = copied;
      const graded = grade(
        facts.now,
        backup.manifest.takenAt,
        limit,
        (age) => `the newest backup that is copied whole is ${backup.backupId}, ${age} old${rest}`,
      );
      return failed === undefined ? graded : { ...graded, status: 'critical' };
    }
    const message = `no backup that counts is known to be copied whole${rest}`;
    if (failed !== undefined) return critical(message);
    const stillAsking = copies.seen.some(({ stuck }) => stuck === undefined);
    return unreadable.length > 0 || stillAsking ? unknown(message) : critical(message);
  },
};

/** The first backup by id that cannot be read and may be newer than the one that was found. */
function newerUnreadable(
  unreadable: readonly UnreadableBackup[],
  foundId: string | undefined,
): UnreadableBackup | undefined {
  return unreadable.find(({ backupId }) => foundId === undefined || backupId > foundId);
}

function among({ idsLeft }: AgeFacts, what: string): string {
  return idsLeft > 0
    ? `: none of the newest is ${what}, and ${describeCount(idsLeft)} older ones were not looked at`
    : '';
}

function grade(now: Date, instant: string, limit: number, describe: (age: string) => string): Judged {
  const hours = (now.getTime() - Date.parse(instant)) / 3_600_000;
  if (hours < -CLOCK_DIFFERENCE_HOURS)
    return unknown(
      `${instant} lies in the future of ${now.toISOString()}: the clock of the server or of the function is wrong`,
    );
  const age = Math.max(0, hours);
  return {
    status: age > limit ? 'critical' : 'ok',
    value: Math.round(age * 1_000) / 1_000,
    message: `${describe(describeSeconds(age * 3_600))}; the limit is ${limit} h`,
  };
}

function describeProgress({ backup, copied, total, stuck }: CopyProgress): string {
  const progress = `${backup.backupId}: ${describeCount(copied)} of ${describeCount(total)} objects seen as copied`;
  if (stuck === undefined) return `${progress}, the others are asked for in the next runs`;
  const says = {
    PENDING: 'is still being copied',
    FAILED: 'FAILED to be copied, and S3 does not try again',
    none: 'is under no replication rule: it was written before the rule',
    gone: 'is not there any more',
  }[stuck.status];
  return `${progress}, "${stuck.key}" ${says}`;
}

function listIds(backups: readonly { backupId: string }[]): string {
  return backups
    .map(({ backupId }) => backupId)
    .slice(0, 3)
    .join(', ');
}

function unknown(message: string): Judged {
  return { status: 'unknown', value: null, message };
}

function critical(message: string): Judged {
  return { status: 'critical', value: null, message };
}
