// The shape of the examples in docs/lint-rules.md. Each is also a case of the tests: lint says of it exactly what it claims.

export interface LintExample {
  /** The up file. */
  readonly sql: string;
  /** The down file; without it the migration is marked irreversible. */
  readonly down?: string;
  /** Up files before it in the same run. */
  readonly before?: readonly string[];
  /** What the live database has, as the statements that would make it; without it there is no live catalog. */
  readonly live?: string;
  /** Of every table of it (default large: ten million rows). */
  readonly size?: 'empty' | 'small' | 'large';
  /** Indexes of it that a failed build has left behind. */
  readonly invalid?: readonly string[];
  readonly timeZone?: string;
  readonly serverVersion?: number;
  /** Other rules that say something of it too. */
  readonly also?: readonly string[];
}

export interface RuleExamples {
  readonly bad: LintExample;
  readonly good: LintExample;
}
