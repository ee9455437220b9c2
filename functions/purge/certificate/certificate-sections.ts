// The lower cards of the page of a certificate: the rule, the archive, partitions, runs, and how to check it all. Pure.
import { describeBytes, describeCount, describeInstant } from '../../shared/describe-amounts.ts';
import { html, type Markup } from '../../shared/html.ts';
import type { Certificate } from './certificate.ts';
import { describeRows, describeUntil } from './certificate-words.ts';

/** More rows than this would hide the rest of the page; the JSON has them all. */
const SHOWN_ROWS = 20;

type Fact = readonly [name: string, value: Markup | string];

function factCard(title: string, facts: readonly Fact[]): Markup {
  const rows = facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`);
  return html`<section><h2>${title}</h2><div class="card"><table class="facts"><tbody>${rows}</tbody></table></div></section>`;
}

/** Policy and cutoff, or the request of an erasure. */
export function ruleCard({ policy, subject, cutoff, table }: Certificate): Markup {
  if (policy === null) {
    return factCard('The request', [
      ['Reference', html`<b>${subject?.reference ?? ''}</b>`],
      ['Person in', table],
      ['By', 'erasure of one person and of everything that leads to it (GDPR article 17)'],
    ]);
  }
  const { name, version, retention, timestampColumn, predicate, reason, anonymisedColumns } = policy;
  return factCard('The rule', [
    ['Policy', html`<b>${name}</b>, version ${version}`],
    ['Reason', reason],
    ['Kept for', html`${retention} by <code>${timestampColumn}</code>`],
    ['Cutoff', `${describeInstant(cutoff ?? '')} UTC`],
    ...(predicate === null ? [] : [['Only where', html`<code>${predicate}</code>`] as const]),
    ...(anonymisedColumns === null ? [] : [['Columns', html`<code>${anonymisedColumns.join(', ')}</code>`] as const]),
  ]);
}

/** Where the removed rows were put first; nothing when they were not. */
export function archiveCard({ archive }: Certificate): Markup {
  if (archive === null) return html``;
  const { objects, rows, bytes, manifestKey, manifestSha256, keptUntil } = archive;
  return factCard('The archive', [
    ['Holds', `${describeRows(rows)} in ${describeCount(objects)} objects, ${describeBytes(bytes)}`],
    ['Until', describeUntil(keptUntil)],
    ['Manifest', html`<code>${manifestKey}</code>`],
    ['SHA-256', html`<span class="hash">${manifestSha256}</span>`],
  ]);
}

/** One row per partition; nothing for other actions. */
export function partitionCard({ partitions }: Certificate): Markup {
  if (partitions.length === 0) return html``;
  const rows = partitions.slice(0, SHOWN_ROWS).map(
    ({ table, bounds, state, rows: count, bytes }) => html`<tr>
<td>${table}<small>${bounds ?? ''}</small></td><td>${state}</td>
<td class="number">${count === null ? 'not counted' : describeCount(count)}</td><td class="number">${describeBytes(bytes)}</td></tr>`,
  );
  return html`<h2>Partitions</h2><div class="card"><table>
<thead><tr><th>Partition</th><th>State</th><th class="number">Rows</th><th class="number">Size</th></tr></thead>
<tbody>${rows}${moreRow(partitions.length, 4)}</tbody></table></div>`;
}

/** Who started what, when it ended, and how. */
export function runCard({ runs, seriesId, databaseRole }: Certificate): Markup {
  const rows = runs.slice(-SHOWN_ROWS).map(
    ({ id, requestId, requestedBy, startedAt, finishedAt, state }) => html`<tr>
<td class="fixed">${id}</td><td class="name">${requestedBy ?? 'the schedule'}<small>request ${requestId}</small></td>
<td class="fixed">${describeInstant(startedAt)}</td><td class="fixed">${describeInstant(finishedAt)}</td><td>${state}</td></tr>`,
  );
  return html`<h2>Runs <small>series ${seriesId}, database role ${databaseRole}</small></h2><div class="card"><table>
<thead><tr><th>Run</th><th>Asked for by</th><th>From</th><th>To</th><th>End</th></tr></thead>
<tbody>${rows}${moreRow(runs.length, 5)}</tbody></table></div>`;
}

function moreRow(total: number, columns: number): Markup {
  if (total <= SHOWN_ROWS) return html``;
  return html`<tr><td colspan="${columns}" class="soft">and ${total - SHOWN_ROWS} more in certificate.json</td></tr>`;
}

/** The hashes that tie page, JSON, policy, server and the certificate before it together. */
export function proofCard({ server, policy, previousCertificate }: Certificate, sha256: string): Markup {
  const hash = (text: string) => html`<span class="hash">${text}</span>`;
  const { systemIdentifier, version } = server;
  return factCard('How to check it', [
    [
      'certificate.json',
      html`${hash(sha256)}<small>SHA-256 of the file. When this stack signs, the signature of exactly these bytes is in certificate.signature.json beside it.</small>`,
    ],
    ...(policy === null
      ? []
      : [
          [
            'Policy',
            html`${hash(policy.sha256)}<small>SHA-256 of its row in nightshift.retention_policy as canonical JSON (RFC 8785)</small>`,
          ] as const,
        ]),
    [
      'Before it',
      previousCertificate === null
        ? 'this is the first certificate of its kind'
        : html`<code>${previousCertificate.key}</code><small>SHA-256 <span class="hash">${previousCertificate.sha256}</span></small>`,
    ],
    ['Server', `PostgreSQL ${version}, system identifier ${systemIdentifier ?? 'not known'}`],
  ]);
}
