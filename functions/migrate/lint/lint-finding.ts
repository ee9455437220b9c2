// What lint answers: the findings, as a contract that programs read.
import * as z from 'zod';

export const lintSeverities = ['error', 'warning'] as const;
export type LintSeverity = (typeof lintSeverities)[number];

export const lintFindingSchema = z.strictObject({
  rule: z.string().describe('name of the rule; docs/lint-rules.md has a chapter for each'),
  severity: z.enum(lintSeverities).describe('error: can stop the application or lose data; warning: look at it'),
  file: z.string().describe('as migrate names it: migrations/0001_initial_schema.up.sql'),
  line: z.int().min(1).describe('where the statement, or the header line, begins'),
  column: z.int().min(1).describe('in characters, from 1'),
  statement: z.string().describe('first line of the statement, or the header line'),
  message: z.string().describe('what is wrong, with the object'),
  instead: z.string().describe('the safe way'),
});

export type LintFinding = z.output<typeof lintFindingSchema>;
