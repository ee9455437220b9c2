// What about the backups needs a person: none to rely on, too old, broken, unreadable, or no drill. Pure.
// The age checks of health say the same of an earlier minute; the report has looked itself.
import { describeAge, describeHours } from '../shared/describe-amounts.ts';
import type { Backups } from './read-backups.ts';

/** In hours, from the settings. */
export interface AgeLimits {
  verifiedHours: number;
  /** Undefined: drills are not watched. */
  drillHours: number | undefined;
}

/** The checks of health whose question is answered here. */
export const JUDGED_HERE: readonly string[] = ['backup-age', 'verified-age', 'drill-age'];

/** Reasons for attention, and what could not be told. */
export function judgeBackups(
  { shown, counted, drill, drillProblem }: Backups,
  limits: AgeLimits,
  now: Date,
): { attention: string[]; unknown: string[] } {
  const ageMs = (instant: string) => now.getTime() - Date.parse(instant);
  const unknown = shown
    .filter(({ state }) => state === 'unreadable')
    .map(({ backupId, problem }) => `backup ${backupId} could not be read: ${problem ?? ''}`);
  // The backup of the last drill is mostly one of those shown.
  const isShown = shown.some(({ problem }) => problem === drillProblem);
  if (drillProblem !== undefined && !isShown) unknown.push(`the last restore drill could not be read: ${drillProblem}`);
  if (shown.length === 0) return { attention: ['there is no backup'], unknown };

  const attention: string[] = [];
  const { verifiedHours, drillHours } = limits;
  if (!counted?.takenAt) attention.push('no backup may be relied on: none is verified');
  else if (ageMs(counted.takenAt) > verifiedHours * 3_600_000)
    attention.push(
      `the RPO is not met: the newest ${counted.state} backup is ${describeAge(ageMs(counted.takenAt))} old, more than ${describeHours(verifiedHours)}`,
    );

  const broken = shown.filter(({ state, takenAt }) => state === 'broken' && (takenAt ?? '') > (counted?.takenAt ?? ''));
  attention.push(...broken.map(({ backupId, problem }) => `backup ${backupId} is broken: ${problem ?? ''}`));

  if (drillHours !== undefined && drill === undefined && drillProblem === undefined)
    attention.push('no restore drill that was ok is known');
  else if (drillHours !== undefined && drill && ageMs(drill.finishedAt) > drillHours * 3_600_000)
    attention.push(
      `the last restore drill that was ok is ${describeAge(ageMs(drill.finishedAt))} ago, more than ${describeHours(drillHours)}`,
    );
  return { attention, unknown };
}
