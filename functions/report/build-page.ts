// The report as one HTML file that needs nothing else: no script, no picture, no font from anywhere. Pure.

import {
  describeAge,
  describeCount,
  describeDuration,
  describeHours,
  describeInstant,
} from '../shared/describe-amounts.ts';
import { html, type Markup } from '../shared/html.ts';
import { PAGE_STYLE } from '../shared/page-style.ts';
import { drawSign } from '../shared/verdict-sign.ts';
import { backupSection } from './backup-section.ts';
import type { Verdict } from './contract.ts';
import { healthSection, purgeSection } from './finding-sections.ts';
import { jobSection } from './job-section.ts';
import type { Judgement, NightFacts } from './judge-night.ts';

const VERDICT_CLASS: Readonly<Record<Verdict, string>> = {
  ok: 'ok',
  'needs attention': 'critical',
  'could not tell': 'unknown',
};

/** More reasons than this hide the first ones; the tables below show them all. */
const SHOWN_REASONS = 8;

/** The whole page. Every text from outside is escaped by `html`. */
export function buildPage(facts: NightFacts, judgement: Judgement, runId: string, toolVersion: string): string {
  const { database, now, backups, limits, findings } = facts;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${database}: ${judgement.verdict} – Nightshift report of ${describeInstant(now.toISOString())} UTC</title>
<style>STYLE</style>
</head>
<body>
<main>
<header>
<h1>${database} <small>Nightshift report</small></h1>
<p class="soft">${describeInstant(now.toISOString())} UTC</p>
</header>
${verdictBox(judgement, findings.health.length)}
${keyFigures(facts)}
${jobSection(judgement.jobs, now)}
${backupSection(backups, limits, now)}
${healthSection(findings)}
${purgeSection(findings)}
<footer>
All times are UTC. “ok” means that every expected job was seen and nothing is unknown; what could not be looked at is never ok.
Nightshift ${toolVersion}, report run ${runId}.
</footer>
</main>
</body>
</html>
`;
  // The style sheet is ours and holds quotes, which escaping would break; it goes in after everything else is text.
  return page.markup.replace('<style>STYLE</style>', () => `<style>${PAGE_STYLE}</style>`);
}

function verdictBox({ verdict, reasons, jobs }: Judgement, checks: number): Markup {
  const shown = reasons.slice(0, SHOWN_REASONS).map(({ text }) => html`<li>${text}</li>`);
  const rest = reasons.length - shown.length;
  const more = rest > 0 ? html`<li>and ${rest} more, below</li>` : '';
  const ran = jobs.filter(({ state }) => state === 'ok').length;
  // Without a result of health the page must not claim that anything was checked.
  const checked = checks === 0 ? 'no health check was seen' : `all ${checks} health checks could look`;
  const list =
    reasons.length === 0
      ? html`<p class="soft">All ${ran} jobs ran, ${checked}, and nothing needs a person.</p>`
      : html`<ul>${shown}${more}</ul>`;
  return html`<section class="verdict ${VERDICT_CLASS[verdict]}">${drawSign(verdict)}<div><strong>${headline(verdict)}</strong>${list}</div></section>`;
}

function headline(verdict: Verdict): string {
  return { ok: 'All is ok', 'needs attention': 'Needs attention', 'could not tell': 'Could not tell' }[verdict];
}

function keyFigures({ backups, limits, findings, now }: NightFacts): Markup {
  const { counted, drill } = backups;
  const ageOf = (instant: string) => describeAge(now.getTime() - Date.parse(instant));
  const lost = counted?.takenAt ? now.getTime() - Date.parse(counted.takenAt) : undefined;
  const isMet = lost !== undefined && lost <= limits.verifiedHours * 3_600_000;
  const count = (status: string) => findings.health.filter((finding) => finding.status === status).length;
  const figures: readonly Markup[] = [
    figure(
      lost === undefined ? 'all' : describeAge(lost),
      `RPO: would be lost with the database now; the limit is ${describeHours(limits.verifiedHours)}`,
      isMet ? '' : 'critical',
    ),
    figure(
      drill?.rtoSeconds ? describeDuration(drill.rtoSeconds * 1_000) : '–',
      drill === undefined
        ? 'RTO: no restore drill that was ok'
        : `RTO: the restore of the drill ${ageOf(drill.finishedAt)} ago`,
    ),
    figure(
      counted?.rows ? describeCount(counted.rows) : '–',
      counted ? `rows in the newest ${counted.state} backup` : 'rows: no backup counts',
    ),
    figure(
      findings.health.length === 0 ? '–' : `${count('critical')} / ${count('warning')} / ${count('unknown')}`,
      'health checks critical / warning / unknown',
    ),
  ];
  return html`<div class="figures">${figures}</div>`;
}

function figure(value: string, label: string, className = ''): Markup {
  return html`<div class="figure"><b class="${className}">${value}</b><span>${label}</span></div>`;
}
