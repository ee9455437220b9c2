// How a certificate is said to a person: the words that its page and the terminal share. Pure.
import { describeCount, describeDay } from '../../shared/describe-amounts.ts';
import type { Certificate, HeldUntil, PurgeAction, SkippedKind } from './certificate.ts';

/** What was done to the rows. */
export const DONE_WORD: Readonly<Record<PurgeAction, string>> = {
  delete: 'deleted',
  anonymise: 'anonymised',
  drop_partition: 'dropped with their partitions',
  erase: 'erased',
};

export const SKIPPED_WORD: Readonly<Record<SkippedKind, string>> = {
  held: 'legal hold',
  referenced: 'still referenced',
  other: 'not reached',
  undated: 'without a date',
};

/** `1 row`, `1,234 rows`. */
export function describeRows(rows: number): string {
  return `${describeCount(rows)} ${rows === 1 ? 'row' : 'rows'}`;
}

/** The verdict in one line. */
export function headlineOf({ action, outcome, rows, subject }: Certificate): string {
  const word = DONE_WORD[action];
  if (outcome === 'incomplete') return `${describeRows(rows.left)} ${rows.left === 1 ? 'is' : 'are'} still there`;
  if (outcome === 'kept back') return `Done, except ${describeRows(rows.left)} that had to stay`;
  if (subject !== null) return 'Everything that led to the person is erased';
  return `Every row past its retention period is ${word}`;
}

/** What was counted, in one sentence. */
export function summaryOf(certificate: Certificate): string {
  const { action, cutoff, table, rows, subject, partitions } = certificate;
  const which =
    cutoff === null ? `of request ${subject?.reference ?? ''}` : `older than ${describeDay(cutoff)} in ${table}`;
  const others = otherRows(certificate);
  const also = others === 0 ? '' : `, with ${describeRows(others)} of other tables`;
  const left =
    rows.left === 0
      ? 'a count at the end found none left'
      : `a count at the end found ${describeCount(rows.left)} left`;
  const dropped = partitions.filter(({ state }) => state === 'dropped');
  const atLeast = dropped.some((partition) => partition.rows === null) ? 'at least ' : '';
  const word =
    action === 'drop_partition'
      ? `dropped with ${dropped.length === 1 ? 'their partition' : `${dropped.length} partitions`}`
      : DONE_WORD[action];
  return `${atLeast}${describeRows(rows.done)} ${which} ${rows.done === 1 ? 'was' : 'were'} ${word}${also}; ${left}.`;
}

/** Rows of other tables that went or were changed too. */
export function otherRows({ children }: Certificate): number {
  return children.reduce((sum, { deleted, changed }) => sum + deleted + changed, 0);
}

/** `24 Dec 2026`, or the word. */
export function describeUntil(until: HeldUntil): string {
  if (until === 'none') return 'no copy';
  return until === 'for ever' || until === 'unknown' ? until : describeDay(until);
}
