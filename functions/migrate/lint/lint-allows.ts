// The lines `-- nightshift: allow <rule> because <reason>`: they silence a rule in their file, and are findings themselves when
// they name no rule, or silence nothing.
import type { AllowedRule } from '../../shared/migration-header.ts';
import type { LintFinding } from './lint-finding.ts';
import { lintRules } from './lint-rules.ts';

/** What is said of every rule, for the two that are decided by the header lines instead of a statement. */
export const allowRules = [
  {
    name: 'ban-unused-allow',
    severity: 'warning',
    message: 'an allow line silences nothing',
    why: 'It stays behind when the statement that it was for has changed, and silences the next one that nobody has thought about.',
    instead: 'remove the line',
    decidedBy: 'file',
    alsoDown: true,
  },
  {
    name: 'ban-unknown-allow',
    severity: 'error',
    message: 'an allow line names a rule that does not exist',
    why: 'What it is meant to allow is not allowed, and a reader believes that it is.',
    instead: 'the name as lint prints it',
    decidedBy: 'file',
    alsoDown: true,
  },
] as const;

const [unused, unknown] = allowRules;

interface Allowed {
  readonly file: string;
  readonly allows: readonly AllowedRule[];
  readonly findings: readonly LintFinding[];
  /** Whether a rule that is silent here would speak without the catalog, or cannot without one: then its line has a use. */
  readonly hasUse: (rule: string) => boolean;
}

/** The findings that no line allows, and those about the lines. */
export function applyAllows({ file, allows, findings, hasUse }: Allowed): LintFinding[] {
  const allowed = new Set(allows.map(({ rule }) => rule));
  const left = findings.filter(({ rule }) => !allowed.has(rule));
  const fired = new Set(findings.map(({ rule }) => rule));
  const about = (line: AllowedRule, rule: typeof unused | typeof unknown, more: string): LintFinding => ({
    rule: rule.name,
    severity: rule.severity,
    file,
    line: line.line,
    column: 1,
    statement: `-- nightshift: allow ${line.rule} because ${line.reason}`,
    message: `${rule.message}: ${more}`,
    instead: rule.instead,
  });
  for (const line of allows) {
    const isKnown = lintRules.some(({ name }) => name === line.rule);
    if (!isKnown) {
      left.push({
        ...about(line, unknown, `"${line.rule}"`),
        instead: `the nearest name is "${nearestRule(line.rule)}"`,
      });
    } else if (!fired.has(line.rule) && !hasUse(line.rule)) {
      left.push(about(line, unused, `"${line.rule}" finds nothing in this file`));
    }
  }
  return left;
}

/** The rule whose name needs the fewest changes of a letter to become that one. */
export function nearestRule(wrong: string): string {
  const distances = lintRules.map(({ name }) => ({ name, distance: editDistance(wrong, name) }));
  return distances.reduce((best, one) => (one.distance < best.distance ? one : best)).name;
}

/** Levenshtein's distance. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
