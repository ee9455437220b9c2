// The list of backups as a table for a terminal. Pure. Every state is a word: nothing is told by colour alone.
import {
  describeAge,
  describeBytes,
  describeCount,
  describeDuration,
  describeHours,
  describeInstant,
} from '../../functions/shared/describe-amounts.ts';
import { newTable } from '../result-table.ts';
import type { BackupList, ListedBackup } from './list-backups.ts';

const HOUR_MS = 3_600_000;

const GREEN = 32;
const RED = 31;
const YELLOW = 33;

const STATE_COLOURS: Readonly<Record<ListedBackup['state'], number>> = {
  drilled: GREEN,
  verified: GREEN,
  candidate: YELLOW,
  broken: RED,
  unreadable: RED,
};

/** The table, the reasons of what is broken or unreadable, and the gap to the RPO. */
export function printBackups(list: BackupList, coloured: boolean): string {
  const paint = (colour: number, text: string) => (coloured ? `\u001b[${colour}m${text}\u001b[39m` : text);
  const title = `Backups of "${list.database}" in bucket "${list.bucket}", times in UTC`;
  const parts = [title, list.backups.length === 0 ? 'There is no backup.' : table(list, paint, coloured)];
  const reasons = list.backups.flatMap(({ backupId, state, problem }) =>
    problem === null ? [] : [paint(RED, `${backupId} is ${state}: ${problem}`)],
  );
  if (reasons.length > 0) parts.push(reasons.join('\n'));
  parts.push(paint(list.rpo.isMet === true ? GREEN : RED, rpoLine(list)));
  return parts.join('\n\n');
}

function table({ backups, lookedAt }: BackupList, paint: (colour: number, text: string) => string, coloured: boolean) {
  const lines = newTable(
    ['backup', 'taken at', 'age', 'size', 'took', 'rows', 'state', 'last drill', 'RTO'],
    coloured,
    {
      colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'left', 'left', 'right'],
    },
  );
  const or = <T>(value: T | null, describe: (value: T) => string) => (value === null ? '–' : describe(value));
  for (const backup of backups) {
    const { state, drill } = backup;
    const isBad = state === 'broken' || state === 'unreadable';
    const drilled =
      drill && `${drill.outcome}, ${describeAge(Date.parse(lookedAt) - Date.parse(drill.finishedAt))} ago`;
    const cells = [
      backup.backupId,
      or(backup.takenAt, describeInstant),
      or(backup.ageHours, (hours) => describeAge(hours * HOUR_MS)),
      or(backup.bytes, describeBytes),
      or(backup.tookSeconds, (seconds) => describeDuration(seconds * 1_000)),
      or(backup.rows, describeCount),
      isBad ? state.toUpperCase() : state,
      drilled ?? '–',
      or(drill?.rtoSeconds ?? null, (seconds) => describeDuration(seconds * 1_000)),
    ];
    const colour = STATE_COLOURS[state];
    lines.push(cells.map((cell, column) => (isBad || column === 6 ? paint(colour, cell) : cell)));
  }
  return lines.toString();
}

function rpoLine({ rpo, backups }: BackupList): string {
  const { backupId, ageHours, limitHours, gapHours } = rpo;
  const limit = limitHours === null ? 'no limit is known' : `the limit is ${describeHours(limitHours)}`;
  if (backupId === null || ageHours === null) {
    const why = backups.length === 0 ? 'there is no backup' : 'no backup was verified';
    return `RPO not met: everything would be lost with the database now, because ${why}; ${limit}.`;
  }
  const state = backups.find((backup) => backup.backupId === backupId)?.state ?? '';
  const lost = `the last ${describeAge(ageHours * HOUR_MS)} would be lost with the database now (${backupId}, ${state})`;
  if (gapHours === null)
    return `RPO unknown: ${lost}; ${limit}: give --max-age-hours, or run this where nightshift.config.ts has the database.`;
  const gap = describeAge(Math.abs(gapHours) * HOUR_MS);
  return gapHours < 0 ? `RPO not met: ${lost}; ${limit}, ${gap} over it.` : `RPO met: ${lost}; ${limit}, ${gap} left.`;
}
