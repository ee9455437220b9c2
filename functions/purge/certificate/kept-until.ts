// Until when copies still hold rows that a purge has removed: backups, point-in-time recovery, the archive of the purge. Pure.
// What is not known is said to be unknown, never none; every slack makes a date later.
import { describeDay } from '../../shared/describe-amounts.ts';
import type { CertificateBody, HeldUntil, PurgeAction } from './certificate.ts';

/** Days, or no end; null: not known. 0: it is known that there is none. */
export type KeptDays = number | 'for ever' | null;

export interface KeptSettings {
  /** The longest that a backup is kept after its snapshot, in the bucket and everywhere it is copied to. */
  readonly backupsKeptDays: KeptDays;
  /** The window of point-in-time recovery of the server, RDS's backup retention period; 0: it is switched off. */
  readonly pitrDays: number | null;
  /** Until an object of the archive is gone with all of its versions, after it was stored. */
  readonly archiveKeptDays: KeptDays;
}

export type StillHeldBy = CertificateBody['stillHeldBy'];

const DAY_MS = 86_400_000;
/** RDS takes the snapshot that a window begins with once a day, and deletes it at its own time after the window. */
const PITR_SLACK_DAYS = 1;
/** S3 ends an object at the midnight (UTC) after its days (lifecycle of S3 User Guide), and counts from when it was stored. */
const LIFECYCLE_SLACK_DAYS = 1;
/** Beyond it an ISO instant has no four digits for its year. */
const LAST_INSTANT = Date.UTC(9999, 11, 31);

/** From the end of the last run: the newest backup that can hold the rows was taken before it. */
export function stillHeldBy(
  finishedAt: Date,
  { backupsKeptDays, pitrDays, archiveKeptDays }: KeptSettings,
  { action, hasArchive }: { action: PurgeAction; hasArchive: boolean },
): StillHeldBy {
  const until = {
    backupsUntil: heldUntil(finishedAt, backupsKeptDays, 0),
    pitrUntil: heldUntil(finishedAt, pitrDays, PITR_SLACK_DAYS),
    archiveUntil: hasArchive ? heldUntil(finishedAt, archiveKeptDays, LIFECYCLE_SLACK_DAYS) : ('none' as const),
  };
  return { ...until, statement: statementOf(until, action) };
}

function heldUntil(from: Date, days: KeptDays, slackDays: number): HeldUntil {
  if (days === null) return 'unknown';
  if (days === 'for ever') return 'for ever';
  if (!(days >= 0)) throw new RangeError(`kept for ${days} days`);
  if (days === 0) return 'none';
  const until = from.getTime() + (Math.ceil(days) + slackDays) * DAY_MS;
  return until > LAST_INSTANT ? 'for ever' : new Date(until).toISOString();
}

/** The last of the copies: an instant only when every one of them is known to end. */
export function lastCopyUntil({ backupsUntil, pitrUntil, archiveUntil }: Omit<StillHeldBy, 'statement'>): HeldUntil {
  const all = [backupsUntil, pitrUntil, archiveUntil];
  if (all.includes('for ever')) return 'for ever';
  if (all.includes('unknown')) return 'unknown';
  // ISO instants of one form sort as text.
  return (
    all
      .filter((until) => until !== 'none')
      .toSorted()
      .at(-1) ?? 'none'
  );
}

/** One sentence that can be put into an answer to the person or the authority. */
function statementOf(until: Omit<StillHeldBy, 'statement'>, action: PurgeAction): string {
  const what = action === 'anonymise' ? 'The values before the change' : 'The removed rows';
  const copies = [
    { name: 'from backups', ends: until.backupsUntil },
    { name: 'by point-in-time recovery of the server', ends: until.pitrUntil },
    { name: 'from the archive of this purge', ends: until.archiveUntil },
  ];
  const dated = copies.flatMap(({ name, ends }) =>
    ends === 'none' || ends === 'unknown' || ends === 'for ever' ? [] : [`${name} until ${describeDay(ends)}`],
  );
  const endless = copies.filter(({ ends }) => ends === 'for ever').map(({ name }) => `${name} without an end`);
  const unknown = copies.filter(({ ends }) => ends === 'unknown').map(({ name }) => name);

  const can = [...dated, ...endless];
  const told = can.length === 0 ? '' : `${what} can still be restored ${listOf(can, 'and')}`;
  const notTold =
    unknown.length === 0
      ? ''
      : `${told === '' ? what : 'they'} may be restored ${listOf(unknown, 'or')} for a time that is not known`;
  const whole = [told, notTold].filter((part) => part !== '').join('; ');
  const last = lastCopyUntil(until);
  if (last === 'none') return `${what} are in no backup, recovery window or archive that Nightshift knows of.`;
  if (last === 'for ever') return `${whole}, so at least one copy stays until somebody deletes it.`;
  if (last === 'unknown') return `${whole}, so no date can be given after which no copy holds them.`;
  return `${whole}; after ${describeDay(last)} no copy that Nightshift knows of holds them.`;
}

function listOf(parts: readonly string[], joint: 'and' | 'or'): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} ${joint} ${parts.at(-1) ?? ''}`;
}
