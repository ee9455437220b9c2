// What health found, with the SQL that helps, and what purge took away and what it left.
import { describeBytes, describeCount, describeInstant } from '../shared/describe-amounts.ts';
import { html, type Markup } from '../shared/html.ts';
import type { Findings, HealthFinding, PurgedPolicy } from './read-findings.ts';

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
<td class="name"><b>${policy.policy}</b><br><span class="note">${ACTIONS[policy.action]}</span></td>
<td class="name">${policy.table}</td>
<td><span class="pill ${policy.state === 'finished' ? 'ok' : 'warning'}">${policy.state}</span></td>
<td class="fixed">${policy.cutoff === null ? '–' : describeInstant(policy.cutoff)}</td>
<td class="number">${describeCount(policy.rowsDone)}</td>
<td class="number">${describeCount(policy.skipped.held)}</td>
<td class="number">${describeCount(policy.skipped.referenced)}</td>
<td class="number">${describeCount(policy.skipped.other)}</td>
<td class="number">${policy.rowsLeft === null ? 'not counted' : describeCount(policy.rowsLeft)}</td>
<td class="text">${describeRest(policy)}</td>
</tr>`,
  );
  return html`<h2>Purge <small>rows older than the cutoff were past their retention period</small></h2>
<div class="card"><table>
<thead><tr><th>Policy</th><th>Table</th><th>State</th><th>Cutoff</th><th class="number">Rows</th><th class="number">Held</th><th class="number">Referenced</th><th class="number">Locked</th><th class="number">Left</th><th>Besides</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}

/** What the figure of rows counts, in a word. */
const ACTIONS: Readonly<Record<PurgedPolicy['action'], string>> = {
  delete: 'deleted',
  anonymise: 'anonymised',
  drop_partition: 'partitions dropped',
  erase: 'erased',
};

/** Pause, rows of other tables, partitions, archive, VACUUM, certificate; warnings stand last, each on its own line. */
function describeRest(policy: PurgedPolicy): Markup {
  const children = policy.children.reduce((rows, { deleted, changed }) => rows + deleted + changed, 0);
  const dropped = policy.partitions.filter(({ state }) => state === 'dropped').length;
  const { archive, vacuum } = policy;
  const texts = [
    policy.pause === null ? '' : `waits: ${policy.pause.reason}`,
    children > 0 ? `${describeCount(children)} rows of other tables` : '',
    policy.partitions.length > 0 ? `${dropped} of ${policy.partitions.length} partitions dropped` : '',
    archive !== null && archive.rows > 0
      ? `${describeCount(archive.rows)} rows archived, ${describeBytes(archive.bytes)}`
      : '',
    vacuum === null || vacuum === 'not needed' ? '' : `vacuum ${vacuum}`,
    policy.certificateKey === null ? '' : `certificate ${policy.certificateKey}`,
  ].filter((text) => text !== '');
  const warnings = policy.warnings.map((warning) => html`<br><span class="warning">${warning}</span>`);
  return html`${texts.join(' · ')}${warnings}`;
}
