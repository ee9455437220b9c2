// The newest backups with size, rows, age and whether a restore drill has proven them.

import { describeAge, describeBytes, describeCount, describeDuration, describeInstant } from './describe-amounts.ts';
import { drawBar } from './draw-figures.ts';
import { html, type Markup } from './html.ts';
import type { BackupSummary, Backups } from './read-backups.ts';

const DRILL_CLASS: Readonly<Record<BackupSummary['drill'], string>> = {
  ok: 'ok',
  failed: 'critical',
  unclear: 'unknown',
  none: 'soft',
};

/** One row per backup, newest first. */
export function backupSection(backups: Backups, now: Date): Markup {
  const shown =
    backups.total > backups.shown.length
      ? `newest ${backups.shown.length} of ${backups.total}`
      : `${backups.total} in all`;
  return html`<h2>Backups <small>${backups.problem === null ? shown : ''}</small></h2>
<div class="card">${content(backups, now)}</div>`;
}

function content({ shown, problem }: Backups, now: Date): Markup {
  if (problem !== null) return html`<p class="empty"><span class="pill unknown">unknown</span> ${problem}</p>`;
  if (shown.length === 0) return html`<p class="empty critical">There is no backup.</p>`;
  const largest = Math.max(...shown.map(({ bytes }) => bytes));
  const rows = shown.map(
    (backup) => html`<tr>
<td class="fixed"><b>${backup.backupId}</b></td>
<td class="fixed">${describeInstant(backup.takenAt)}</td>
<td class="number">${describeAge(now.getTime() - Date.parse(backup.takenAt))}</td>
<td class="number">${describeBytes(backup.bytes)}</td>
<td>${drawBar(backup.bytes, largest)}</td>
<td class="number">${describeCount(backup.tables)}</td>
<td class="number">${describeCount(backup.rows)}</td>
<td>${describeDrill(backup)}</td>
</tr>`,
  );
  return html`<table>
<thead><tr><th>Backup</th><th>Taken at</th><th class="number">Age</th><th class="number">Size</th><th></th><th class="number">Tables</th><th class="number">Rows</th><th>Restore drill</th></tr></thead>
<tbody>${rows}</tbody>
</table>`;
}

function describeDrill({ drill, rtoSeconds }: BackupSummary): Markup {
  if (drill === 'none') return html`<span class="soft">not drilled</span>`;
  const time =
    rtoSeconds === null ? '' : html` <span class="note fixed">in ${describeDuration(rtoSeconds * 1_000)}</span>`;
  return html`<span class="pill ${DRILL_CLASS[drill]}">${drill}</span>${time}`;
}
