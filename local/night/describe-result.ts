// One line of figures for the answer of each job, for the progress and the table at the end.
import type { BackupResult } from '../../functions/backup/contract.ts';
import type { BootstrapResult } from '../../functions/bootstrap/contract.ts';
import type { ExpireResult } from '../../functions/expire/contract.ts';
import type { HealthResult } from '../../functions/health/contract.ts';
import type { MigrateResult } from '../../functions/migrate/contract.ts';
import type { PurgeResult } from '../../functions/purge/contract.ts';
import type { ReportResult } from '../../functions/report/contract.ts';
import type { RestoreDrillResult } from '../../functions/restore-drill/contract.ts';
import type { JobName } from '../../functions/shared/jobs.ts';
import type { VerifyResult } from '../../functions/verify/contract.ts';

interface Answers {
  bootstrap: BootstrapResult;
  migrate: MigrateResult;
  backup: BackupResult;
  verify: VerifyResult;
  'restore-drill': RestoreDrillResult;
  purge: PurgeResult;
  expire: ExpireResult;
  health: HealthResult;
  report: ReportResult;
}

const describers: { [J in JobName]: (answer: Answers[J]) => string } = {
  bootstrap: ({ changed, unchanged, findings, loginsProven }) =>
    `${changed.length} changed, ${unchanged.length} as they should be, ${loginsProven.length} logins proven${findings.length > 0 ? `, ${findings.length} findings` : ''}`,
  migrate: (answer) => {
    const run = 'done' in answer ? `${plural(answer.done.length, 'file')} run, ` : '';
    const running = answer.running === null ? '' : `, one statement ${answer.running.state}`;
    return `${run}now at ${answer.current}, ${answer.pending.length} pending${running}`;
  },
  backup: ({ tables, rows, bytes }) => `${plural(tables, 'table')}, ${count(rows)} rows, ${megabytes(bytes)} in S3`,
  verify: ({ outcome, state, sample, objects, rows, bytes }) =>
    `${sample === null ? outcome : `${outcome}: sample ${sample.number} of ${sample.of}, ${state}`}, ${plural(objects, 'object')} read back, ${count(rows)} rows, ${megabytes(bytes)}`,
  'restore-drill': ({ outcome, drills }) =>
    drills
      .map(
        ({ compared, rtoSeconds }) =>
          `${outcome} (${plural(compared.tables, 'table')}, ${count(compared.rows)} rows), restored in ${(rtoSeconds ?? 0).toFixed(1)} s`,
      )
      .join('; older backup: '),
  purge: (answer) => describePurge(answer),
  expire: ({ backups, expired, policy }) => `${expired} expired, ${backups.length - expired} kept (${policy})`,
  health: ({ counts }) =>
    `${counts.ok} ok, ${counts.warning} warning, ${counts.critical} critical, ${counts.unknown} unknown`,
  report: ({ verdict, jobsNotSeen }) =>
    `${verdict}${jobsNotSeen.length > 0 ? `; not seen: ${jobsNotSeen.join(', ')}` : ''}`,
};

/** What went, what went with it, and why it is not all. */
function describePurge({ dryRun, policies, complete }: PurgeResult): string {
  const sum = (of: (policy: PurgeResult['policies'][number]) => number) =>
    policies.reduce((total, policy) => total + of(policy), 0);
  const byPolicies = plural(policies.length, 'policy', 'policies');
  if (dryRun)
    return `${count(sum(({ plan }) => plan?.rows ?? 0))} rows past retention by ${byPolicies}; nothing was changed`;
  const isAnonymised = policies.some(({ action }) => action === 'anonymise');
  const children = sum((policy) => policy.children.reduce((rows, { deleted, changed }) => rows + deleted + changed, 0));
  const dropped = sum(({ partitions }) => partitions.filter(({ state }) => state === 'dropped').length);
  const archived = sum(({ archive }) => archive?.rows ?? 0);
  const warnings = sum((policy) => policy.warnings.length);
  const paused = policies.find(({ pause }) => pause !== null)?.pause;
  return [
    `${count(sum(({ rowsDone }) => rowsDone))} rows past retention ${isAnonymised ? 'deleted or anonymised' : 'deleted'} by ${byPolicies}`,
    children > 0 ? `${count(children)} of other tables with them` : '',
    dropped > 0 ? `${plural(dropped, 'partition')} dropped` : '',
    archived > 0 ? `${count(archived)} rows archived` : '',
    warnings > 0 ? plural(warnings, 'warning') : '',
    complete ? '' : `not complete${paused ? `, waits: ${paused.reason}` : ''}`,
  ]
    .filter((text) => text !== '')
    .join('; ');
}

/** Figures of an answer of a job; the answer is the one its contract describes. */
export function describeResult(job: JobName, answer: Readonly<Record<string, unknown>>): string {
  return (describers[job] as (answer: unknown) => string)(answer);
}

function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
