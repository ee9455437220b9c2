// Lines that say how far a statement that runs alone is. Pure.

import type { LongReport } from '../../functions/migrate/long/long-step.ts';
import { describeCount, describeDuration } from '../../functions/shared/describe-amounts.ts';

/** `0002 up, statement 2 "create index …": building index, 45 %, 1,200 of 3,000 blocks, about 12 s left, 38 s`. */
export function describeLongStep(report: LongReport): string {
  const { number, direction, statement, operation, state, phase, done, total, unit, etaSeconds, seconds } = report;
  const share = done === null || total === null || total === 0 ? undefined : Math.min(1, done / total);
  const parts = [
    `${String(number).padStart(4, '0')} ${direction}, statement ${statement}, ${operation}: ${describeState(report)}`,
    ...(phase === null ? [] : [phase]),
    ...(share === undefined ? [] : [`${Math.floor(share * 100)} %`]),
    ...(done === null
      ? []
      : [`${describeCount(done)}${total === null ? '' : ` of ${describeCount(total)}`} ${unit ?? ''}`.trim()]),
    ...(state === 'stopped' || etaSeconds === null ? [] : [`about ${describeDuration(etaSeconds * 1_000)} left`]),
    `${state === 'stopped' ? 'begun' : 'for'} ${describeDuration(seconds * 1_000)}${state === 'stopped' ? ' ago' : ''}`,
    ...(report.blockers === null ? [] : [`behind ${report.blockers}`]),
  ];
  return parts.join(', ');
}

/** The same for one line of a terminal, which may be narrow: what matters most comes first. */
export function shortLongStep(report: LongReport): string {
  const { number, statement, operation, phase, done, total, etaSeconds, seconds, blockers } = report;
  const share = done === null || total === null || total === 0 ? undefined : Math.min(1, done / total);
  return [
    `${String(number).padStart(4, '0')} statement ${statement}`,
    ...(share === undefined ? [] : [`${Math.floor(share * 100)} %`]),
    ...(blockers === null ? [] : [`waits for ${blockers}`]),
    ...(etaSeconds === null ? [] : [`about ${describeDuration(etaSeconds * 1_000)} left`]),
    describeDuration(seconds * 1_000),
    ...(phase === null ? [] : [phase]),
    operation,
  ].join('  ');
}

function describeState({ state, processId }: LongReport): string {
  if (state === 'stopped') return 'stopped, the next up or down goes on';
  return `${state} (pid ${processId ?? 'unknown'})`;
}
