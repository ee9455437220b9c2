import { describe, expect, test } from 'vitest';
import type { DatabaseSettings } from '../../infra/config.ts';
import { checkConfig } from '../../infra/load-config.ts';
import { now, sampleDatabase } from './synthesized.ts';

const problemsOf = (replaced: Partial<DatabaseSettings>) =>
  checkConfig({ databases: [sampleDatabase(replaced)] }, now).problems ?? [];

describe('the section migrate of the config', () => {
  test('migrations with the deployment: one session more, for the function that finds the other one at work', () => {
    const [problem] = problemsOf({ connectionBudget: 1, migrate: { atDeploy: true } });

    expect(problem).toContain('migrate 1 × 5, ');
  });

  test.each([
    [{ pollSeconds: 34 }, '34; must be at least 35 with longestHours 24, '],
    [{ pollSeconds: 60, longestHours: 168 }, '60; must be at least 242 with longestHours 168, '],
    [{ pollSeconds: 9 }, '9; must be a whole number of seconds from 10 to 900'],
  ])(
    'a workflow of migrate that looks too often (%j): its history would be too long for Step Functions',
    (migrate, words) => {
      expect(problemsOf({ migrate })).toEqual([
        expect.stringContaining(`databases[0].migrate.pollSeconds: is ${words}`),
      ]);
    },
  );

  test.each([{ pollSeconds: 35 }, { pollSeconds: 10, longestHours: 6 }, { pollSeconds: 900, longestHours: 168 }])(
    'a workflow of migrate that looks seldom enough (%j): it is taken',
    (migrate) => {
      expect(problemsOf({ migrate })).toEqual([]);
    },
  );
});
