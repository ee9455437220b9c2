// What plan, rehearse, verify and the search for drift answer, as a person reads it. Pure.
import type { MigrateResult } from '../../functions/migrate/contract.ts';
import type { DriftResult } from '../../functions/migrate/drift/contract.ts';
import type { RehearsalResult } from '../../functions/migrate/rehearse/contract.ts';
import { describeCount, describeDuration } from '../../functions/shared/describe-amounts.ts';
import { newTable } from '../result-table.ts';

type PlanResult = Extract<MigrateResult, { action: 'plan' }>;
type VerifyResult = Extract<MigrateResult, { action: 'verify' }>;

/** The verdict with its reasons, and how up is bound to this plan. */
export function printPlan({ verdict, reasons, hash, files, expectedSeconds }: PlanResult): string {
  return [
    `${verdict}: ${files.length === 0 ? 'no file is pending' : files.join(', ')}`,
    ...reasons.map(({ level, about, problem, hint }) => `  ${level} (${about}): ${problem}. Hint: ${hint}.`),
    `Expected to take: ${expectedSeconds === null ? 'not known' : describeDuration(expectedSeconds * 1_000)}.`,
    hash === null
      ? 'There is no hash: a lock hides the schema.'
      : `Only as planned: npm run migrate -- up --plan ${hash}`,
  ].join('\n');
}

/** Each statement with what it locks, rewrites and scans. */
export function printRehearsal(
  { files, notRehearsed, notCopiedCount, serverVersion }: RehearsalResult,
  coloured: boolean,
) {
  const table = newTable(['statement', 'locks', 'rewrites', 'scans', 'expected'], coloured);
  for (const { file, statements } of files) {
    for (const { line, firstLine, locks, rewritten, scanned, expectedSeconds } of statements) {
      table.push([
        `${file.split('/').at(-1) ?? file}:${line}\n${firstLine.slice(0, 60)}`,
        locks === null ? 'not seen' : locks.map(({ mode, table: of }) => `${mode} ${of}`).join('\n') || '–',
        rewritten.join('\n') || '–',
        scanned.map(({ table: of }) => of).join('\n') || '–',
        expectedSeconds === null ? 'not known' : describeDuration(expectedSeconds * 1_000),
      ]);
    }
  }
  return [
    files.length === 0 ? 'No file is pending.' : table.toString(),
    ...(notRehearsed.length === 0 ? [] : [`Not rehearsed: ${notRehearsed.join(', ')}.`]),
    ...(notCopiedCount === 0
      ? []
      : [`The copy lacks ${describeCount(notCopiedCount)} objects of the live schema; --json names them.`]),
    `Rehearsed on PostgreSQL ${serverVersion}.`,
  ].join('\n');
}

/** Each file with its certificate. */
export function printCertificates({ certificates, notVerified, durationMs }: VerifyResult, coloured: boolean): string {
  const table = newTable(['migration', 'outcome', 'tables with rows', 'took'], coloured);
  for (const { file, outcome, tablesWithRows, durationMs: took } of certificates)
    table.push([file.split('/').at(-1) ?? file, outcome, describeCount(tablesWithRows.length), describeDuration(took)]);
  return [
    table.toString(),
    ...(notVerified.length === 0 ? [] : [`Not tried: ${notVerified.join(', ')}.`]),
    `Took ${describeDuration(durationMs)}.`,
  ].join('\n');
}

/** What of the live catalog is not as the migrations make it. */
export function printDrift({ outcome, problem, drift, missingCount, extraCount, differentCount }: DriftResult): string {
  const total = missingCount + extraCount + differentCount;
  if (outcome === 'unknown') return `Drift is unknown: ${problem ?? ''}.`;
  if (outcome === 'none') return 'No drift: the live catalog is what the migrations make.';
  return [
    `Drift: ${missingCount} missing, ${extraCount} extra, ${differentCount} different.`,
    ...drift.map(({ kind, what }) => `  ${kind}: ${what}`),
    ...(total > drift.length ? [`  and ${total - drift.length} more`] : []),
  ].join('\n');
}
