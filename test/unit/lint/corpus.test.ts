import { describe, expect, test } from 'vitest';
import { allowRules } from '../../../functions/migrate/lint/lint-allows.ts';
import { lintFindingSchema } from '../../../functions/migrate/lint/lint-finding.ts';
import { lintRules } from '../../../functions/migrate/lint/lint-rules.ts';
import { lintExamples } from '../../../local/docs/lint-examples/all-examples.ts';
import { corpus } from './corpus/all-cases.ts';
import { lintCase } from './lint-case.ts';

const names = [...lintRules, ...allowRules].map(({ name }) => name);
const examples = Object.entries(lintExamples).flatMap(([rule, { bad, good }]) => [
  { ...bad, rule, expect: [rule, ...(bad.also ?? [])] },
  { ...good, rule, expect: [...(good.also ?? [])] },
]);
const all = [...examples, ...corpus];

describe('the corpus', () => {
  test('it has at least 120 cases, and each rule has a bad and a good one', () => {
    const bad = new Set(all.filter((one) => one.expect.includes(one.rule)).map(({ rule }) => rule));
    const good = new Set(all.filter((one) => !one.expect.includes(one.rule)).map(({ rule }) => rule));

    expect(all.length).toBeGreaterThanOrEqual(120);
    expect(names.filter((name) => !bad.has(name) || !good.has(name))).toEqual([]);
    expect(all.flatMap((one) => [one.rule, ...one.expect]).filter((rule) => !names.includes(rule))).toEqual([]);
  });

  test('the names of the rules: each is a verb and its object, and none is there twice', () => {
    expect(names.filter((name) => !/^(require|ban|prefer)(-[a-z]+)+$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(all.map((one) => ({ ...one, title: `${one.rule}: ${one.sql.replaceAll(/\s+/g, ' ').slice(0, 100)}` })))(
    '$title',
    async (one) => {
      const findings = await lintCase(one);

      expect(findings.map(({ rule }) => rule).toSorted()).toEqual([...one.expect].toSorted());
      for (const finding of findings) expect(lintFindingSchema.safeParse(finding).success).toBe(true);
    },
  );
});
