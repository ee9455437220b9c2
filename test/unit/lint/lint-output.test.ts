import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type LintFinding, lintFindingSchema } from '../../../functions/migrate/lint/lint-finding.ts';
import { lintRules } from '../../../functions/migrate/lint/lint-rules.ts';
import {
  lintAnnotations,
  lintFormats,
  lintJson,
  lintOutput,
  lintSarif,
  lintText,
} from '../../../local/migrate/lint-output.ts';

const finding = (more: Partial<LintFinding> = {}): LintFinding => ({
  rule: 'ban-drop-table',
  severity: 'error',
  file: 'migrations/0002_drop.up.sql',
  line: 3,
  column: 1,
  statement: 'drop table app.legacy',
  message: 'DROP TABLE loses its rows: "app.legacy"',
  instead: 'rename it first',
  ...more,
});
const two = [
  finding(),
  finding({ rule: 'ban-char', severity: 'warning', line: 9, message: 'char(n), 100% padded\nblank' }),
];

describe('lintText', () => {
  test('two findings: place, severity, rule, statement, message and what to do instead, then the totals', () => {
    expect(lintText([finding()], false)).toBe(
      `sql/migrations/0002_drop.up.sql:3:1: error ban-drop-table
  drop table app.legacy
  DROP TABLE loses its rows: "app.legacy".
  Instead: rename it first.

lint: 1 error and 0 warnings in 1 file
`,
    );
    expect(lintText(two, false)).toMatch(/\nlint: 1 error and 1 warning in 1 file\n$/);
  });

  test('colour: only when told', () => {
    expect(lintText(two, false)).not.toContain('\u001B[');
    expect(lintText(two, true)).toContain('\u001B[31merror\u001B[0m ban-drop-table');
    expect(lintText(two, true)).toContain('\u001B[33mwarning\u001B[0m ban-char');
  });

  test('nothing found: it says so', () => {
    expect(lintText([], true)).toBe('lint: nothing found\n');
  });
});

describe('lintJson', () => {
  test('the findings: each is what the schema says, in order', () => {
    const read: unknown = JSON.parse(lintJson(two));

    expect(z.strictObject({ findings: z.array(lintFindingSchema) }).parse(read).findings).toEqual(two);
  });

  test('a finding with another key, or a line of 0: the schema refuses it', () => {
    expect(lintFindingSchema.safeParse({ ...finding(), extra: 1 }).success).toBe(false);
    expect(lintFindingSchema.safeParse(finding({ line: 0 })).success).toBe(false);
  });
});

/** What SARIF 2.1.0 requires of the parts that we write (sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.30, 3.49). */
const level = z.enum(['none', 'note', 'warning', 'error']);
const message = z.strictObject({ text: z.string().min(1) });
const sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z.tuple([
    z.strictObject({
      columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.string().min(1),
          rules: z.array(
            z.strictObject({
              id: z.string().min(1),
              shortDescription: message,
              fullDescription: message,
              help: message,
              defaultConfiguration: z.strictObject({ level }),
            }),
          ),
        }),
      }),
      results: z.array(
        z.strictObject({
          ruleId: z.string(),
          ruleIndex: z.int().min(0),
          level,
          message,
          locations: z.tuple([
            z.strictObject({
              physicalLocation: z.strictObject({
                artifactLocation: z.strictObject({ uri: z.string().regex(/^sql\/\S+$/) }),
                region: z.strictObject({ startLine: z.int().min(1), startColumn: z.int().min(1) }),
              }),
            }),
          ]),
        }),
      ),
    }),
  ]),
});

describe('lintSarif', () => {
  test('two findings: a valid log, whose results point to their rules', () => {
    const log = sarif.parse(JSON.parse(lintSarif(two)));
    const { results, tool } = log.runs[0];

    expect(results.map(({ ruleId, ruleIndex }) => tool.driver.rules[ruleIndex]?.id === ruleId)).toEqual([true, true]);
    expect(tool.driver.rules.length).toBe(lintRules.length + 2);
    expect(results[0]?.locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'sql/migrations/0002_drop.up.sql' },
      region: { startLine: 3, startColumn: 1 },
    });
  });

  test('nothing found: a run without results, which closes old alerts', () => {
    expect(sarif.parse(JSON.parse(lintSarif([]))).runs[0].results).toEqual([]);
  });
});

describe('lintAnnotations', () => {
  test('two findings: a command each, with breaks, commas and percents escaped', () => {
    expect(lintAnnotations(two).trimEnd().split('\n')).toEqual([
      '::error file=sql/migrations/0002_drop.up.sql,line=3,col=1,title=ban-drop-table::DROP TABLE loses its rows: "app.legacy". Instead: rename it first.',
      '::warning file=sql/migrations/0002_drop.up.sql,line=9,col=1,title=ban-char::char(n), 100%25 padded%0Ablank. Instead: rename it first.',
    ]);
  });

  test('a comma and a colon in a file name: they are escaped, because they part the properties', () => {
    expect(lintAnnotations([finding({ file: 'a,b:c.sql' })])).toContain('file=sql/a%2Cb%3Ac.sql,line=3');
    expect(lintAnnotations([finding({ file: '/srv/app/0001_a.up.sql' })])).toContain(
      'file=/srv/app/0001_a.up.sql,line=3',
    );
  });

  test('nothing found: nothing is printed', () => {
    expect(lintAnnotations([])).toBe('');
  });
});

describe('lintOutput', () => {
  test('every format: it is the one of its own function', () => {
    expect(lintFormats.map((format) => lintOutput(format, two))).toEqual([
      lintText(two, false),
      lintJson(two),
      lintSarif(two),
      lintAnnotations(two),
    ]);
  });
});
