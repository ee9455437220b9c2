// The newest backups with size, rows and age, and what is known of each: read back, restored, or broken and why.
import type { BackupSummary } from '../shared/backup-summary.ts';
import {
  describeAge,
  describeBytes,
  describeCount,
  describeDuration,
  describeHours,
  describeInstant,
} from '../shared/describe-amounts.ts';
import { html, type Markup } from '../shared/html.ts';
import { drawBar, drawGauge } from './draw-figures.ts';
import type { AgeLimits } from './judge-backups.ts';
import type { Backups } from './read-backups.ts';

const STATE_CLASS: Readonly<Record<BackupSummary['state'], string>> = {
  drilled: 'ok proven',
  verified: 'ok',
  candidate: 'unknown',
  broken: 'critical',
  unreadable: 'unknown',
};

const DRILL_CLASS: Readonly<Record<NonNullable<BackupSummary['drill']>['outcome'], string>> = {
  ok: 'ok',
  damaged: 'critical',
  failed: 'critical',
  different: 'critical',
  unproven: 'unknown',
};

const COLUMNS = 7;

/** The gap to the RPO, then one row per backup, newest first. */
export function backupSection(backups: Backups, limits: AgeLimits, now: Date): Markup {
  const { shown, total } = backups;
  const count = total > shown.length ? `newest ${shown.length} of ${total}` : `${total} in all`;
  return html`<h2>Backups <small>${count}; only verified and drilled ones count</small></h2>
<div class="card">${rpoLine(backups, limits, now)}${table(shown, now)}</div>`;
}

function rpoLine({ counted, shown }: Backups, { verifiedHours }: AgeLimits, now: Date): Markup {
  if (counted === undefined || counted.takenAt === null) {
    const nothing = shown.length === 0 ? '' : ': none was verified';
    return html`<p class="rpo critical"><b>RPO</b> Everything would be lost with the database${nothing}.</p>`;
  }
  const ageMs = now.getTime() - Date.parse(counted.takenAt);
  const gapMs = verifiedHours * 3_600_000 - ageMs;
  const verdict =
    gapMs < 0
      ? html`<span class="critical">${describeAge(-gapMs)} over the limit of ${describeHours(verifiedHours)}</span>`
      : html`<span class="soft">within the limit of ${describeHours(verifiedHours)}</span>`;
  return html`<p class="rpo"><b>RPO</b> ${drawGauge(ageMs, verifiedHours * 3_600_000)} <span>The last <b>${describeAge(ageMs)}</b> would be lost with the database now, ${verdict}</span></p>`;
}

function table(shown: readonly BackupSummary[], now: Date): Markup {
  if (shown.length === 0) return html`<p class="empty critical">There is no backup.</p>`;
  const largest = Math.max(...shown.map(({ bytes }) => bytes ?? 0));
  return html`<table>
<thead><tr><th>Backup</th><th>State</th><th>Taken at</th><th class="number">Size</th><th></th><th class="number">Rows</th><th>Last restore drill</th></tr></thead>
<tbody>${shown.map((backup) => row(backup, largest, now))}</tbody>
</table>`;
}

function row(backup: BackupSummary, largest: number, now: Date): Markup {
  const { backupId, state, bytes, tables, rows, problem } = backup;
  const reason =
    problem === null
      ? html``
      : html`<tr class="reason"><td colspan="${COLUMNS}"><span class="${STATE_CLASS[state]}">${problem}</span></td></tr>`;
  const amount =
    rows === null || tables === null
      ? '–'
      : html`${describeCount(rows)}<br><span class="note">${describeCount(tables)} tables</span>`;
  return html`<tr>
<td class="fixed"><b>${backupId}</b></td>
<td><span class="pill ${STATE_CLASS[state]}">${state}</span></td>
<td class="fixed">${describeTaken(backup, now)}</td>
<td class="number">${bytes === null ? '–' : describeBytes(bytes)}</td>
<td>${bytes === null ? '' : drawBar(bytes, largest)}</td>
<td class="number">${amount}</td>
<td class="fixed">${describeDrill(backup, now)}</td>
</tr>${reason}`;
}

function describeTaken({ takenAt }: BackupSummary, now: Date): Markup {
  if (takenAt === null) return html`–`;
  const age = describeAge(now.getTime() - Date.parse(takenAt));
  return html`${describeInstant(takenAt)}<br><span class="note">${age} ago</span>`;
}

function describeDrill({ drill }: BackupSummary, now: Date): Markup {
  if (drill === null) return html`<span class="soft">none</span>`;
  const { outcome, finishedAt, rtoSeconds } = drill;
  const rto = rtoSeconds === null ? '' : `, RTO ${describeDuration(rtoSeconds * 1_000)}`;
  const age = describeAge(now.getTime() - Date.parse(finishedAt));
  return html`<span class="pill ${DRILL_CLASS[outcome]}">${outcome}</span><br><span class="note">${age} ago${rto}</span>`;
}
