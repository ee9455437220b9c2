// Fills a database with everything that a server of a given major can hold: the rich source, less what an older server
// does not know, and on top of it what newer servers have added.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { loadRichSource, type RichSource } from '../support/rich-source/load-rich-source.ts';

/** Of the rich source, which is written for 15: what 14 refuses, and what stands for it there. */
const UNKNOWN_TO_14: readonly (readonly [string, string])[] = [
  ['create unlogged sequence app.unlogged_sequence;', ''],
  ['for table app.big (id, author) where (id > 10), app.events with', 'for table app.big, app.events with'],
  [`create publication rich_schema for tables in schema "Odd Schema, ""quoted""" with (publish = 'insert');`, ''],
];

/** Scripts of this folder, by the major that has what they need. */
const SINCE = [16, 17, 18] as const;

/** Loads the rich source and what fits on top; throws when the rich source has changed and a replacement finds nothing. */
export async function loadAllThatFits(target: Pick<Client, 'query'>, major: number): Promise<RichSource> {
  const rich = major > 14 ? await loadRichSource(target) : await loadInto14(target);
  for (const since of SINCE.filter((one) => one <= major)) {
    await target.query(readFileSync(join(import.meta.dirname, `since-${since}.sql`), 'utf8'));
  }
  await target.query('analyze');
  return rich;
}

async function loadInto14(target: Pick<Client, 'query'>): Promise<RichSource> {
  const missed = new Set(UNKNOWN_TO_14.map(([text]) => text));
  const replaced = (script: string) => {
    let known = script;
    for (const [text, instead] of UNKNOWN_TO_14) {
      if (known.includes(text)) missed.delete(text);
      known = known.replace(text, instead);
    }
    return known;
  };
  // The loader passes whole scripts and nothing else.
  const query = new Proxy(target.query, {
    apply: (send, _, [script, ...values]: [string, ...unknown[]]) =>
      Reflect.apply(send, target, [replaced(script), ...values]),
  });
  const rich = await loadRichSource({ query });
  if (missed.size > 0) throw new Error(`the rich source has not got any more: ${[...missed].join(' / ')}`);
  return rich;
}
