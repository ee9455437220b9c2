// A certificate as one HTML page that needs nothing else, for a data protection officer to read, print and file. Pure.
// Made of the certificate alone, so that it can say nothing that the signed JSON does not.
import { describeCount, describeInstant } from '../../shared/describe-amounts.ts';
import { html, type Markup } from '../../shared/html.ts';
import { PAGE_STYLE } from '../../shared/page-style.ts';
import { drawSign } from '../../shared/verdict-sign.ts';
import type { Certificate, HeldUntil } from './certificate.ts';
import { archiveCard, partitionCard, proofCard, ruleCard, runCard } from './certificate-sections.ts';
import { DONE_WORD, describeUntil, headlineOf, otherRows, SKIPPED_WORD, summaryOf } from './certificate-words.ts';
import { lastCopyUntil } from './kept-until.ts';

const STYLE = `
main { max-width: 980px; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 0 20px; align-items: start; }
.columns > * { min-width: 0; }
.lead { padding: 12px 14px; border-bottom: 1px solid var(--line); }
.facts th { width: 1%; border-bottom: 0; border-top: 1px solid var(--line); vertical-align: top; line-height: 1.75; }
.facts tr:first-child th, .facts tr:first-child td { border-top: 0; }
.facts td { padding-left: 0; }
.card td small { display: block; font-size: 13px; color: var(--soft); }
.hash { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.verdict p { color: var(--text); margin-top: 3px; }
p.note { margin-top: 8px; }
@media (max-width: 520px) { main { padding: 20px 14px 32px; } .figures { grid-template-columns: 1fr 1fr; } td, th { padding-left: 10px; padding-right: 10px; } .facts td { padding-left: 0; } }
@media print {
  @page { margin: 11mm; }
  main { zoom: 0.62; } header { margin-bottom: 10px; } h2 { margin-top: 14px; } footer { margin-top: 12px; }
  .columns { grid-template-columns: 1fr 1fr; } .figures { grid-template-columns: repeat(4, 1fr); margin-top: 10px; }
  td, th, .lead { padding-top: 4px; padding-bottom: 4px; } .verdict { padding: 10px 16px; }
}
`;

/** The whole page; `sha256` is of the bytes of certificate.json, which the page names. Every text is escaped by `html`. */
export function renderCertificate(certificate: Certificate, sha256: string): string {
  const { database, finishedAt, toolVersion } = certificate;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${database}: ${headlineOf(certificate)} – certificate of a purge</title>
<style>STYLE</style>
</head>
<body>
<main>
<header>
<h1>Certificate of a purge <small>database ${database}</small></h1>
<p class="soft">${describeInstant(finishedAt)} UTC</p>
</header>
${verdictBox(certificate)}
${keyFigures(certificate)}
${copiesSection(certificate)}
<div class="columns">
${countsCard(certificate)}
${skippedCard(certificate)}
${ruleCard(certificate)}
${archiveCard(certificate)}
</div>
${partitionCard(certificate)}
${runCard(certificate)}
${proofCard(certificate, sha256)}
<footer>
All times are UTC. This page holds no personal data: counts, names of tables and the text of the rule, but no key and no value of any row.
It is a rendering of certificate.json, which alone is signed. Nightshift ${toolVersion}.
</footer>
</main>
</body>
</html>
`;
  // The style sheet is ours and holds quotes, which escaping would break; it goes in after everything else is text.
  return page.markup.replace('<style>STYLE</style>', () => `<style>${PAGE_STYLE}${STYLE}</style>`);
}

function verdictBox(certificate: Certificate): Markup {
  const isDone = certificate.outcome !== 'incomplete';
  const more = isDone
    ? ''
    : html`<p>${certificate.subject === null ? 'The next run of this policy goes on with them.' : 'Ask for the erasure once more: it goes on with them.'}</p>`;
  return html`<section class="verdict ${isDone ? 'ok' : 'critical'}">${drawSign(isDone ? 'ok' : 'needs attention')}<div><strong>${headlineOf(certificate)}</strong><p>${summaryOf(certificate)}</p>${more}</div></section>`;
}

function keyFigures(certificate: Certificate): Markup {
  const { rows, action, stillHeldBy } = certificate;
  const last = lastCopyUntil(stillHeldBy);
  const figures: readonly Markup[] = [
    figure(describeCount(rows.done), `rows ${DONE_WORD[action]}`),
    figure(describeCount(otherRows(certificate)), 'rows of other tables went or changed with them'),
    figure(
      describeCount(rows.left),
      'rows left, counted at the end',
      certificate.outcome === 'incomplete' ? 'critical' : '',
    ),
    figure(describeUntil(last), 'the last known copy ends', last === 'unknown' ? 'unknown' : ''),
  ];
  return html`<div class="figures">${figures}</div>`;
}

function figure(value: string, label: string, className = ''): Markup {
  return html`<div class="figure"><b class="${className}">${value}</b><span>${label}</span></div>`;
}

function copiesSection({ stillHeldBy, archive }: Certificate): Markup {
  const { backupsUntil, pitrUntil, archiveUntil, statement } = stillHeldBy;
  const copies = [
    copyRow(
      'Backups',
      backupsUntil,
      'the longest that the expiry policy keeps a backup, as long as newer backups go on being made',
    ),
    copyRow('Point-in-time recovery', pitrUntil, 'the window of the database server'),
    copyRow(
      'Archive of this purge',
      archiveUntil,
      archive === null ? 'nothing was archived' : 'the lifecycle rule of the bucket',
    ),
  ];
  return html`<h2>What still holds the rows, and until when</h2>
<div class="card"><p class="lead">${statement}</p><table><tbody>${copies}</tbody></table></div>
<p class="note">Counted from the end of this purge, by the settings of that time. Copies that Nightshift does not make are not in this table: RDS snapshots by hand, exports, read models, logs.</p>`;
}

function copyRow(name: string, until: HeldUntil, by: string): Markup {
  const word = describeUntil(until);
  const isDay = until !== 'none' && until !== 'for ever' && until !== 'unknown';
  const shown =
    until === 'unknown'
      ? html`<span class="pill unknown">${word}</span>`
      : html`<b>${isDay ? 'until ' : ''}${word}</b>`;
  return html`<tr><td>${name}<small>${by}</small></td><td class="number">${shown}</td></tr>`;
}

function countsCard({ table, action, rows, children }: Certificate): Markup {
  const own = html`<tr><td><b>${table}</b></td><td class="number">${describeCount(rows.done)}</td><td>${DONE_WORD[action]}</td></tr>`;
  const others = children.flatMap(({ table: name, deleted, changed }) => [
    ...(deleted > 0 ? [countRow(name, deleted, 'deleted')] : []),
    ...(changed > 0 ? [countRow(name, changed, 'changed')] : []),
  ]);
  return html`<section><h2>What was done</h2><div class="card"><table>
<thead><tr><th>Table</th><th class="number">Rows</th><th></th></tr></thead><tbody>${own}${others}</tbody></table></div></section>`;
}

function countRow(table: string, rows: number, what: string): Markup {
  return html`<tr><td>${table}</td><td class="number">${describeCount(rows)}</td><td>${what}</td></tr>`;
}

function skippedCard({ skipped, rows, cutoff }: Certificate): Markup {
  const lines = skipped.map(
    ({ kind, rows: count, reason }) =>
      html`<tr><td>${SKIPPED_WORD[kind]}<small>${reason}</small></td><td class="number">${describeCount(count)}</td></tr>`,
  );
  const uncounted =
    rows.undated === null && cutoff !== null
      ? html`<tr><td>${SKIPPED_WORD.undated}<small>not counted by this purge</small></td><td class="number">–</td></tr>`
      : '';
  const empty =
    lines.length === 0 && uncounted === '' ? html`<tr><td class="soft">No row was kept back.</td></tr>` : '';
  return html`<section><h2>What stayed, and why</h2><div class="card"><table><tbody>${lines}${uncounted}${empty}</tbody></table></div></section>`;
}
