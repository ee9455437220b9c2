// The sign beside a verdict on a page, as inline SVG.
import { html, type Markup } from './html.ts';

type SignOf = 'ok' | 'needs attention' | 'could not tell';

/** Tick, exclamation mark or question mark in a disc. */
export function drawSign(verdict: SignOf): Markup {
  const disc = html`<circle cx="18" cy="18" r="17" fill="currentColor"/>`;
  const stroke = html`fill="none" stroke="var(--card)" stroke-width="3.4" stroke-linecap="round" stroke-linejoin="round"`;
  const signs: Readonly<Record<SignOf, Markup>> = {
    ok: html`<path d="M10.5 18.5l5 5 10-11" ${stroke}/>`,
    'needs attention': html`<path d="M18 9.5v11M18 26.4v.2" ${stroke}/>`,
    'could not tell': html`<path d="M13.4 14.2a4.7 4.7 0 1 1 6.6 4.3c-1.3.6-2 1.4-2 2.8M18 26.4v.2" ${stroke}/>`,
  };
  return html`<svg viewBox="0 0 36 36" aria-hidden="true">${disc}${signs[verdict]}</svg>`;
}
