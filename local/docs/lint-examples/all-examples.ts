// The examples of all rules: one that is found and one that is not, by name of the rule.
import type { RuleExamples } from './lint-example.ts';
import { columnExamples } from './on-columns.ts';
import { constraintExamples } from './on-constraints.ts';
import { indexExamples } from './on-indexes.ts';
import { runExamples } from './on-runs.ts';
import { tableExamples } from './on-tables.ts';
import { typeExamples } from './on-types.ts';

export const lintExamples: Readonly<Record<string, RuleExamples>> = {
  ...indexExamples,
  ...constraintExamples,
  ...columnExamples,
  ...tableExamples,
  ...typeExamples,
  ...runExamples,
};
