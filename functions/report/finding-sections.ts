// What health found, with the SQL that helps, and what purge deleted and what it left.
import { describeCount, describeInstant } from '../shared/describe-amounts.ts';
import { html, type Markup } from '../shared/html.ts';
import type { Findings, HealthFinding } from './read-findings.ts';

/** The newest answer of each check, worst first; the fix only where there is something to fix. */
export function healthSection({ health }: Findings): Markup {
  const rows = health.map(
    (finding) => html`<tr>
<td class="fixed"><span class="pill ${finding.status}">${finding.status}</span></td>
<td class="fixed"><b>${finding.id}</b></td>
<td class="number">${describeValue(finding)}</td>
<td class="text">${finding.message}${finding.status === 'ok' || finding.fix === null ? '' : html`<code class="fix">${finding.fix}</code>`}</td>
</tr>`,
  );
  const table = html`<table>
<thead><tr><th>Status</th><th>Check</th><th class="number">Value</th><th>Finding</th></tr></thead>
<tbody>${rows}</tbody>
</table>`;
  const seen = health[0] === undefined ? '' : `newest answers, ${describeInstant(newestOf(health))}`;
  return html`<h2>Health <small>${seen}</small></h2>
<div class="card">${health.length === 0 ? html`<p class="empty">No result of health was seen.</p>` : table}</div>`;
}

function newestOf(health: readonly HealthFinding[]): string {
  return (
    health
      .map(({ seenAt }) => seenAt)
      .toSorted()
      .at(-1) ?? ''
  );
}

/** Counts of things have none. */
const UNIT_SIGNS: Readonly<Record<string, string>> = { percent: ' %', seconds: ' s', hours: ' h' };

function describeValue({ value, unit }: HealthFinding): string {
  if (value === null) return '–';
  const amount = Number.isInteger(value) ? describeCount(value) : value.toFixed(1);
  return `${amount}${UNIT_SIGNS[unit] ?? ''}`;
}

/** One row per policy of the newest purge; nothing when there was none. */
export function purgeSection({ purge }: Findings): Markup {
  if (purge.length === 0) return html``;
  const rows = purge.map(
    (policy) => html`<tr>
<td class="name"><b>${policy.policy}</b></td>
<td class="name">${policy.table}</td>
<td><span class="pill ${policy.state === 'finished' ? 'ok' : 'warning'}">${policy.state}</span></td>
<td class="fixed">${describeInstant(policy.cutoff)}</td>
<td class="number">${describeCount(policy.rowsDeleted)}</td>
<td class="number">${describeCount(policy.skipped.held)}</td>
<td class="number">${describeCount(policy.skipped.referenced)}</td>
<td class="number">${describeCount(policy.skipped.other)}</td>
<td class="number">${policy.rowsLeft === null ? 'not counted' : describeCount(policy.rowsLeft)}</td>
</tr>`,
  );
  return html`<h2>Purge <small>rows older than the cutoff were past their retention period</small></h2>
<div class="card"><table>
<thead><tr><th>Policy</th><th>Table</th><th>State</th><th>Cutoff</th><th class="number">Deleted</th><th class="number">Held</th><th class="number">Referenced</th><th class="number">Locked</th><th class="number">Left</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}
