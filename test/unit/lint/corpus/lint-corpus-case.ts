import type { LintExample } from '../../../../local/docs/lint-examples/lint-example.ts';

/** A case: the rule that it is about, and all rules that must say something; none is a good case. */
export interface LintCorpusCase extends LintExample {
  readonly rule: string;
  readonly expect: readonly string[];
}

type More = Omit<LintExample, 'sql'>;

/** The rule speaks, and those in `also`; nothing else does. */
export function bad(rule: string, sql: string, more: More = {}): LintCorpusCase {
  return { ...more, rule, sql, expect: [rule, ...(more.also ?? [])] };
}

/** The rule is silent; those in `also` speak. */
export function good(rule: string, sql: string, more: More = {}): LintCorpusCase {
  return { ...more, rule, sql, expect: more.also ?? [] };
}
