// docs/lint-rules.md, generated from the rules and their examples.
import { allowRules } from '../../functions/migrate/lint/lint-allows.ts';
import type { LintRule } from '../../functions/migrate/lint/lint-rule.ts';
import { lintThemes } from '../../functions/migrate/lint/lint-rules.ts';
import { SMALL_TABLE } from '../../functions/migrate/lint/table-size.ts';
import { lintExamples } from './lint-examples/all-examples.ts';
import type { LintExample } from './lint-examples/lint-example.ts';
import { tableOf } from './markdown-table.ts';

type Described = Omit<LintRule, 'check'>;

const DECIDED_BY = {
  file: 'the file alone',
  files: 'the file and those before it in the same run',
  catalog: 'the files and the live catalog; without one it assumes the worse and says so',
} as const;

/** The text of the page. */
export function lintRulesPage(): string {
  const themes: Readonly<Record<string, readonly Described[]>> = { ...lintThemes, 'Allow lines': allowRules };
  const all = Object.values(themes).flat();
  return `${[
    '# Rules of the migration lint',
    'Generated from the code by `npm run docs`; a test compares them, and runs lint on every example.',
    `Lint reads the statements with PostgreSQL's own parser, follows what earlier statements of the run make of the schema, and asks the live catalog for what only it knows: sizes, types, constraints, functions, the time zone. What a file makes itself is new, and nobody waits for it. A table is small below ${SMALL_TABLE.rows.toLocaleString('en')} rows and ${SMALL_TABLE.bytes / 1_048_576} MiB: locks on it are too short to matter, and what rewrites it is only a warning.`,
    'A rule is allowed for one file by a line in it, with a reason; a line that is not needed is a finding itself:',
    '```sql\n-- nightshift: allow ban-drop-column because release 41 no longer reads it\n```',
    'Down scripts are read too, but only by the rules on locks, rewrites and rows: the way back of an ADD is a DROP.',
    tableOf(
      ['rule', 'severity', 'decided by', 'down scripts'],
      all.map(({ name, severity, decidedBy, alsoDown }) => [
        `[${name}](#${name})`,
        severity,
        decidedBy,
        alsoDown ? 'yes' : 'no',
      ]),
    ),
    ...Object.entries(themes).flatMap(([theme, rules]) => [`## ${theme}`, ...rules.map(chapterOf)]),
  ].join('\n\n')}\n`;
}

function chapterOf({ name, severity, message, why, instead, decidedBy }: Described): string {
  const examples = lintExamples[name];
  if (!examples) throw new TypeError(`rule "${name}" has no examples in local/docs/lint-examples`);
  return [
    `### ${name}`,
    `${message[0]?.toUpperCase()}${message.slice(1)}.`,
    `Why: ${why}`,
    `Instead: ${instead}.`,
    `Severity: ${severity}. Decided by ${DECIDED_BY[decidedBy]}.`,
    `Found:\n\n${blockOf(examples.bad)}`,
    `Not found:\n\n${blockOf(examples.good)}`,
  ].join('\n\n');
}

/** The example with what it stands on as comments, so that it reads as one text. */
function blockOf({ live, size, invalid, timeZone, down, sql }: LintExample): string {
  const facts = [
    ...(live === undefined ? [] : [`The database has${size === 'empty' ? ', without rows' : ''}: ${shorten(live)}`]),
    ...(invalid === undefined ? [] : [`Left behind INVALID: ${invalid.join(', ')}`]),
    ...(timeZone === undefined ? [] : [`TimeZone is ${timeZone}.`]),
  ].map((line) => `-- ${line}`);
  const reverts = down === undefined ? [] : ['-- The down file:', down];
  return ['```sql', ...facts, sql, ...reverts, '```'].join('\n');
}

/** Sixty columns or fifteen indexes need not be read. */
function shorten(text: string): string {
  return text.length > 240 ? `${text.slice(0, 160)} …` : text;
}
