// docs/settings.md, generated from the schema of nightshift.config.ts and the settings of each job.

import type { Settings } from '../../functions/shared/read-environment.ts';
import { databaseConfigSchema } from '../../infra/config.ts';
import { jsonSchemaOf, schemaRows } from './describe-schema.ts';
import { jobContracts } from './job-contracts.ts';
import { tableOf } from './markdown-table.ts';

/** The text of the page; it changes only when a setting does. */
export function settingsPage(): string {
  const config = schemaRows(jsonSchemaOf(databaseConfigSchema, 'input'));
  return `${[
    '# Settings',
    'Generated from the code by `npm run docs`; a test compares them.',
    '## nightshift.config.ts',
    'One entry of `databases` has these settings. `npx cdk synth` names everything that is wrong at once, and synthesizes nothing then. Nothing that deletes has a default.',
    tableOf(
      ['setting', 'meaning', 'allowed', 'default'],
      config.map(({ path, about, allowed, fallback, required }) => [
        `\`${path}\``,
        about,
        allowed,
        fallback ?? (required ? 'required' : ''),
      ]),
    ),
    '## Environment of each function',
    'The stack sets these from the configuration. A function that lacks one, or has a wrong one, names all of them and does nothing. Blank counts as missing.',
    ...Object.entries(jobContracts).flatMap(([job, { settings }]) => [`### ${job}`, settingsTable(settings)]),
  ].join('\n\n')}\n`;
}

function settingsTable(settings: Settings): string {
  return tableOf(
    ['variable', 'meaning', 'allowed', 'default', 'example'],
    Object.entries(settings).map(([name, { summary, allowed, required, fallback, example }]) => [
      `\`${name}\``,
      summary,
      allowed,
      required ? 'required' : fallback === undefined ? '' : `\`${JSON.stringify(fallback).replaceAll('"', '')}\``,
      `\`${example}\``,
    ]),
  );
}
