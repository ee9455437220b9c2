// The rules, in the order in which the docs show them.
import { columnRules } from './columns.ts';
import { constraintRules } from './constraints.ts';
import { indexRules } from './indexes.ts';
import type { LintRule } from './lint-rule.ts';
import { lockRules } from './locks.ts';
import { lossRules } from './losses.ts';
import { rowRules } from './rows.ts';
import { styleRules } from './style.ts';
import { tableRules } from './tables.ts';
import { typeRules } from './types.ts';

/** By theme: the heading of the docs, and its rules. */
export const lintThemes: Readonly<Record<string, readonly LintRule[]>> = {
  Indexes: indexRules,
  Constraints: constraintRules,
  Columns: columnRules,
  Tables: tableRules,
  'Drops, TRUNCATE and new names': lossRules,
  Types: typeRules,
  Rows: rowRules,
  Locks: lockRules,
  Style: styleRules,
};

export const lintRules: readonly LintRule[] = Object.values(lintThemes).flat();
