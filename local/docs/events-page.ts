// docs/events.md, generated from the contracts: what starts each job and what it answers.

import { jsonSchemaOf, schemaRows } from './describe-schema.ts';
import { jobContracts } from './job-contracts.ts';
import { tableOf } from './markdown-table.ts';

/** The text of the page. */
export function eventsPage(): string {
  return `${[
    '# Events and answers of the jobs',
    'Generated from the code by `npm run docs`; a test compares them. The same as JSON Schema: [events.schema.json](events.schema.json).',
    'An event with an unknown key is refused, so a misspelt `dryRun` starts nothing. The answer equals the last line of the log, `<job>.finished`, and the run record in S3. Whatever fails throws: look at `<job>.failed` in the log and at the [runbook](runbook.md).',
    'By hand:',
    "```\naws lambda invoke --function-name nightshift-<database>-<job> --cli-binary-format raw-in-base64-out \\\n  --cli-read-timeout 900 --payload '<event>' answer.json\n```",
    ...Object.entries(jobContracts).flatMap(([job, { event, result, example }]) => [
      `## ${job}`,
      `Event, for example \`${JSON.stringify(example)}\`:`,
      tableOf(
        ['key', 'allowed', 'meaning'],
        schemaRows(jsonSchemaOf(event, 'input')).map(({ path, allowed, required, about }) => [
          `\`${path}\`${required ? '' : ' (optional)'}`,
          allowed,
          about,
        ]),
      ),
      'Answer:',
      tableOf(
        ['key', 'type', 'meaning'],
        schemaRows(jsonSchemaOf(result, 'output')).map(({ path, allowed, about }) => [`\`${path}\``, allowed, about]),
      ),
    ]),
  ].join('\n\n')}\n`;
}

/** The contracts as one JSON document: `{ <job>: { event, result } }`, each a JSON Schema. */
export function eventsSchema(): string {
  const schemas = Object.fromEntries(
    Object.entries(jobContracts).map(([job, { event, result }]) => [
      job,
      { event: jsonSchemaOf(event, 'input'), result: jsonSchemaOf(result, 'output') },
    ]),
  );
  return `${JSON.stringify(schemas, null, 2)}\n`;
}
