// The findings of lint as a person or a program reads them: text, JSON, SARIF 2.1.0, annotations of GitHub Actions.
// Pure functions; the command line prints what they return.
import { allowRules } from '../../functions/migrate/lint/lint-allows.ts';
import type { LintFinding } from '../../functions/migrate/lint/lint-finding.ts';
import { lintRules } from '../../functions/migrate/lint/lint-rules.ts';

export const lintFormats = ['text', 'json', 'sarif', 'github'] as const;
export type LintFormat = (typeof lintFormats)[number];

/** The findings in that format, with a line break at the end; `color` is for text alone. */
export function lintOutput(format: LintFormat, findings: readonly LintFinding[], color = false): string {
  if (format === 'text') return lintText(findings, color);
  if (format === 'json') return lintJson(findings);
  return format === 'sarif' ? lintSarif(findings) : lintAnnotations(findings);
}

/** SGR codes of the terminal (ECMA-48). */
const RED = '\u001B[31m';
const YELLOW = '\u001B[33m';
const DIM = '\u001B[2m';
const PLAIN = '\u001B[0m';

/** One block per finding and a line of totals; no colour unless told. */
export function lintText(findings: readonly LintFinding[], color: boolean): string {
  const paint = (code: string, text: string) => (color ? `${code}${text}${PLAIN}` : text);
  const blocks = findings.map((one) => {
    const severity = paint(one.severity === 'error' ? RED : YELLOW, one.severity);
    return [
      `${fileOf(one)}:${one.line}:${one.column}: ${severity} ${one.rule}`,
      `  ${paint(DIM, one.statement)}`,
      `  ${one.message}.`,
      `  Instead: ${one.instead}.`,
      '',
    ].join('\n');
  });
  return `${[...blocks, totalsOf(findings)].join('\n')}\n`;
}

function totalsOf(findings: readonly LintFinding[]): string {
  if (findings.length === 0) return 'lint: nothing found';
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const files = new Set(findings.map(({ file }) => file)).size;
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
  return `lint: ${count(errors, 'error')} and ${count(findings.length - errors, 'warning')} in ${count(files, 'file')}`;
}

/** `{ "findings": [ … ] }`, each as lintFindingSchema says. */
export function lintJson(findings: readonly LintFinding[]): string {
  return `${JSON.stringify({ findings }, null, 2)}\n`;
}

const PAGE = 'docs/lint-rules.md';
const SARIF_SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/** SARIF 2.1.0 (OASIS), as code scanning takes it: one run, all rules, one result per finding. */
export function lintSarif(findings: readonly LintFinding[]): string {
  const rules = [...lintRules, ...allowRules];
  const indexes = new Map(rules.map(({ name }, index) => [name, index]));
  const run = {
    tool: {
      driver: {
        name: 'nightshift lint',
        rules: rules.map((rule) => ({
          id: rule.name,
          shortDescription: { text: `${rule.message}.` },
          fullDescription: { text: rule.why },
          help: { text: `Instead: ${rule.instead}. See ${PAGE}#${rule.name}.` },
          defaultConfiguration: { level: rule.severity },
        })),
      },
    },
    columnKind: 'unicodeCodePoints',
    results: findings.map((one) => ({
      ruleId: one.rule,
      ruleIndex: indexes.get(one.rule),
      level: one.severity,
      message: { text: `${one.message}. Instead: ${one.instead}.` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: fileOf(one) },
            region: { startLine: one.line, startColumn: one.column },
          },
        },
      ],
    })),
  };
  return `${JSON.stringify({ $schema: SARIF_SCHEMA, version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

/** Workflow commands: GitHub shows each beside its line. Empty when there is nothing. */
export function lintAnnotations(findings: readonly LintFinding[]): string {
  return findings
    .map((one) => {
      const place = `file=${property(fileOf(one))},line=${one.line},col=${one.column},title=${property(one.rule)}`;
      return `::${one.severity} ${place}::${escape(`${one.message}. Instead: ${one.instead}.`)}\n`;
    })
    .join('');
}

/**
 * migrate names the files of the product below sql/; a person and GitHub need the path from the top of the repository. Those of
 * another folder come with the path that was given.
 */
function fileOf({ file }: LintFinding): string {
  return file.includes('/') && !file.startsWith('migrations/') ? file : `sql/${file}`;
}

/** Escapes of the runner's toolkit (packages/core/src/command.ts): a line break would end the command. */
function escape(value: string): string {
  return value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(value: string): string {
  return escape(value).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
