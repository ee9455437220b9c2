// The small pictures of the report, as inline SVG: a bar per size, a strip of the last hours per job.
import { html, type Markup } from '../shared/html.ts';

const BAR_WIDTH = 120;

/** A bar whose length is the share of the largest value; an amount above zero is always visible. */
export function drawBar(value: number, largest: number): Markup {
  const share = largest > 0 ? value / largest : 0;
  const width = value > 0 ? Math.max(2, Math.round(share * BAR_WIDTH)) : 0;
  return html`<svg class="bar" width="${BAR_WIDTH}" height="10" role="img" aria-label="${Math.round(share * 100)} % of the largest"><rect width="${BAR_WIDTH}" height="10" rx="3" fill="var(--line)"/><rect width="${width}" height="10" rx="3" fill="var(--bar)"/></svg>`;
}

/** How far an age is on its way to the limit, which is the mark; beyond it the bar is red. */
export function drawGauge(ageMs: number, limitMs: number): Markup {
  const mark = Math.round(BAR_WIDTH * 0.8);
  const width = Math.min(BAR_WIDTH, Math.max(2, Math.round((ageMs / limitMs) * mark)));
  const colour = ageMs > limitMs ? 'var(--critical)' : 'var(--ok)';
  return html`<svg class="gauge" width="${BAR_WIDTH}" height="14" role="img" aria-label="${Math.round((100 * ageMs) / limitMs)} % of the limit"><rect y="3" width="${BAR_WIDTH}" height="8" rx="3" fill="var(--line)"/><rect y="3" width="${width}" height="8" rx="3" fill="${colour}"/><rect x="${mark}" width="2" height="14" fill="var(--soft)"/></svg>`;
}

const STRIP_WIDTH = 168;

/** The runs of a job in the last hours, oldest on the left: a green tick for each that ended well, a red one for a failure. */
export function drawStrip(
  runs: readonly { finishedAt: string; outcome: 'ok' | 'failed' }[],
  now: Date,
  hours: number,
): Markup {
  const from = now.getTime() - hours * 3_600_000;
  const shown = runs.filter(
    ({ finishedAt }) => Date.parse(finishedAt) >= from && Date.parse(finishedAt) <= now.getTime(),
  );
  // The ticks of a job that runs each quarter of an hour would otherwise melt into one bar.
  const width = shown.length > 40 ? 1 : 3;
  // Failures are drawn last, so that a success beside one does not cover it.
  const ticks = shown
    .toSorted((a, b) => b.outcome.localeCompare(a.outcome))
    .map(({ finishedAt, outcome }) => {
      const left = ((Date.parse(finishedAt) - from) / (hours * 3_600_000)) * (STRIP_WIDTH - width);
      return html`<rect x="${left.toFixed(1)}" y="2" width="${width}" height="12" rx="${width / 2}" fill="${outcome === 'ok' ? 'var(--ok)' : 'var(--critical)'}"/>`;
    });
  const failed = shown.filter(({ outcome }) => outcome === 'failed').length;
  return html`<svg class="strip" width="${STRIP_WIDTH}" height="16" role="img" aria-label="${shown.length} runs in ${hours} hours, ${failed} failed"><rect y="7.5" width="${STRIP_WIDTH}" height="1" fill="var(--line)"/>${ticks}</svg>`;
}
