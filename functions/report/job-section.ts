// The table of jobs: what ran when, for how long, with which figures, and what was not seen at all.
import * as z from 'zod';
import {
  describeAge,
  describeBytes,
  describeCount,
  describeDuration,
  describeHours,
  describeInstant,
} from '../shared/describe-amounts.ts';
import { html, type Markup } from '../shared/html.ts';
import type { RunRecord } from '../shared/run-record.ts';
import { drawStrip } from './draw-figures.ts';
import type { JobSummary } from './judge-night.ts';
import { REPORT_HOURS } from './read-run-records.ts';

const STATE_CLASS: Readonly<Record<JobSummary['state'], string>> = {
  ok: 'ok',
  failed: 'critical',
  'not seen': 'critical',
  'dry run': 'unknown',
};

/** One row per job that was expected or seen. */
export function jobSection(jobs: readonly JobSummary[], now: Date): Markup {
  const rows = jobs.map(
    (job) => html`<tr>
<td class="fixed"><b>${job.job}</b></td>
<td><span class="pill ${STATE_CLASS[job.state]}">${job.state}</span></td>
<td>${drawStrip(job.runs, now, REPORT_HOURS)}</td>
<td class="fixed">${describeWhen(job, now)}</td>
<td class="number">${job.last === undefined ? '' : describeDuration(job.last.durationMs)}</td>
<td class="text">${describeFigures(job)}</td>
</tr>`,
  );
  return html`<h2>Jobs <small>the strip shows the runs of the last ${describeHours(REPORT_HOURS)}</small></h2>
<div class="card"><table>
<thead><tr><th>Job</th><th>State</th><th>Last ${REPORT_HOURS} h</th><th>Last run</th><th class="number">Took</th><th>Figures</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}

function describeWhen({ last }: JobSummary, now: Date): Markup {
  if (last === undefined) return html`<span class="soft">never</span>`;
  const age = describeAge(now.getTime() - Date.parse(last.finishedAt));
  return html`${describeInstant(last.finishedAt)}<br><span class="note">${age} ago</span>`;
}

function describeFigures(job: JobSummary): Markup {
  const { last, state, expectedHours } = job;
  if (state === 'not seen') {
    const before = last === undefined ? '' : `; its last run ${last.outcome === 'ok' ? 'ended well' : 'failed'}`;
    return html`<span class="critical">no run within ${describeHours(expectedHours ?? 0)}${before}</span>`;
  }
  const retried =
    job.earlierFailures === 0
      ? ''
      : `${job.earlierFailures} failed ${job.earlierFailures === 1 ? 'run' : 'runs'} before it`;
  if (last?.outcome === 'failed') {
    const failure = last.failure;
    return html`<span class="critical">${failure?.problem ?? 'its record does not say why'}</span><br><span class="note">Hint: ${failure?.hint ?? 'look at the log'}</span>`;
  }
  return html`${last === undefined ? '' : figuresOf(last)}${retried === '' ? '' : html` <span class="note">(${retried})</span>`}`;
}

/** The figures of a job's result that a person asks for first; whatever is not there is left out. */
function figuresOf({ job, result, dryRun }: RunRecord): string {
  const number = (name: string, describe: (value: number) => string) => {
    const value = result[name];
    return typeof value === 'number' ? describe(value) : undefined;
  };
  const length = (name: string, describe: (count: number) => string) => {
    const list = result[name];
    return Array.isArray(list) ? describe(list.length) : undefined;
  };
  const figures = {
    backup: [
      number('bytes', describeBytes),
      number('tables', (count) => `${describeCount(count)} tables`),
      number('rows', (rows) => `${describeCount(rows)} rows`),
    ],
    verify: [
      typeof result['backupId'] === 'string' ? result['backupId'] : undefined,
      number('rows', (rows) => `${describeCount(rows)} rows verified`),
    ],
    'restore-drill': drillFigures(result['drills']),
    expire: [
      number('expired', (count) => `${describeCount(count)} backups expired`),
      keptFigure(result['backups'], result['expired']),
      number('lockedVersionCount', (count) => (count > 0 ? `${describeCount(count)} versions locked` : '')),
      typeof result['policy'] === 'string' ? `policy: ${result['policy']}` : undefined,
    ],
    purge: [
      number('rowsDone', (rows) => `${describeCount(rows)} rows deleted or anonymised`),
      result['complete'] === false && !dryRun ? 'not complete: it goes on' : undefined,
    ],
    health: [healthFigures(result['counts'])],
    migrate: [
      number('current', (current) => `at migration ${current}`),
      length('done', (count) => `${count} run`),
      length('pending', (count) => `${count} pending`),
    ],
    bootstrap: [length('changed', (count) => `${count} changed`), length('findings', (count) => `${count} findings`)],
    report: [],
  }[job];
  const texts = figures.filter((text) => text !== undefined && text !== '');
  return [...(dryRun ? ['dry run: nothing was changed'] : []), ...texts].join(' · ');
}

const drilled = z.object({
  backupId: z.string(),
  rtoSeconds: z.number().nullable(),
  compared: z.object({ rows: z.number() }),
});

/** Of each backup that was drilled. */
function drillFigures(drills: unknown): string[] {
  return (z.array(drilled).safeParse(drills).data ?? []).map(({ backupId, rtoSeconds, compared }) => {
    const restored = rtoSeconds === null ? '' : `restored in ${describeDuration(rtoSeconds * 1_000)}, `;
    return `${backupId}: ${restored}${describeCount(compared.rows)} rows compared`;
  });
}

function keptFigure(backups: unknown, expired: unknown): string | undefined {
  if (!Array.isArray(backups) || typeof expired !== 'number') return undefined;
  return `${describeCount(backups.length - expired)} kept`;
}

function healthFigures(counts: unknown): string | undefined {
  if (typeof counts !== 'object' || counts === null) return undefined;
  const texts = Object.entries(counts).flatMap(([status, count]) =>
    typeof count === 'number' && count > 0 ? [`${count} ${status}`] : [],
  );
  return texts.join(', ');
}
