// Reasons that the files give: lint, what cannot be undone, and what the rehearsal has measured.
import type { Migration } from '../../shared/migration-files.ts';
import type { LintFinding } from '../lint/lint-finding.ts';
import type { RehearsalResult } from '../rehearse/contract.ts';
import type { PlanReason } from './contract.ts';

/** Readers of a table that is locked for longer pile up and take all connections. */
export const LONGEST_LOCK_SECONDS = 1;
/** In these modes nobody reads, or nobody writes. */
const STOPS_OTHERS: ReadonlySet<string> = new Set([
  'AccessExclusiveLock',
  'ExclusiveLock',
  'ShareRowExclusiveLock',
  'ShareLock',
]);

/** One reason for each error of lint, and one for all its warnings. */
export function lintReasons(findings: readonly LintFinding[]): PlanReason[] {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const warnings = findings.length - errors.length;
  return [
    ...errors.map(
      ({ rule, file, line, message, instead }): PlanReason => ({
        level: 'approve',
        about: 'lint',
        problem: `${file}:${line}: ${rule}: ${message}`,
        hint: instead,
      }),
    ),
    ...(warnings === 0
      ? []
      : [{ level: 'note', about: 'lint', problem: `${warnings} warnings of lint`, hint: 'lint shows them' } as const]),
  ];
}

/** Files that can only be left again by a backup. */
export function irreversibleReasons(migrations: readonly Migration[]): PlanReason[] {
  return migrations.flatMap(({ up, irreversibleBecause }) =>
    irreversibleBecause === undefined
      ? []
      : [
          {
            level: 'approve' as const,
            about: 'loss' as const,
            problem: `"${up.file}" cannot be reverted: ${irreversibleBecause}`,
            hint: 'make sure that a backup from before it can be restored',
          },
        ],
  );
}

/** What failed in the rehearsal, what would lock a table for long, and what it could not say. */
export function rehearsalReasons(rehearsal: RehearsalResult | null): PlanReason[] {
  if (rehearsal === null) {
    return [
      {
        level: 'approve',
        about: 'duration',
        problem: 'it was not rehearsed, so how long it takes and locks is not known',
        hint: 'plan with a rehearsal, or rehearse it',
      },
    ];
  }
  const reasons: PlanReason[] = [];
  for (const { file, outcome, problem, statements } of rehearsal.files) {
    if (outcome === 'failed') {
      reasons.push({
        level: 'approve',
        about: 'rehearsal',
        problem: `"${file}" failed on a copy of the schema: ${problem ?? ''}`,
        hint: 'correct the file, or find out what the copy lacks',
      });
    }
    for (const { line, firstLine, locks, expectedSeconds, unit } of statements) {
      const stopping = (locks ?? []).filter(({ mode }) => STOPS_OTHERS.has(mode));
      const [lock] = stopping;
      if (lock === undefined || unit === 'batch') continue;
      if (expectedSeconds !== null && expectedSeconds <= LONGEST_LOCK_SECONDS) continue;
      reasons.push({
        level: expectedSeconds === null ? 'note' : 'approve',
        about: 'duration',
        problem: `${file}:${line}: "${firstLine}" holds ${lock.mode} on ${lock.table}${stopping.length > 1 ? ` and ${stopping.length - 1} more` : ''} for ${expectedSeconds === null ? 'an unknown time' : `about ${Math.ceil(expectedSeconds)} s`}`,
        hint: 'choose a quiet time, or the way that docs/lint-rules.md names',
      });
    }
  }
  const { notRehearsed } = rehearsal;
  if (notRehearsed.length > 0) {
    reasons.push({
      level: 'approve',
      about: 'rehearsal',
      problem: `not rehearsed, because a file before them failed: ${notRehearsed.join(', ')}`,
      hint: 'correct that file and plan again',
    });
  }
  return reasons;
}
