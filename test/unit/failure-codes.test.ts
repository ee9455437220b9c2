import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeError, failureCodes, JobFailure } from '../../functions/shared/job-failure.ts';

const root = join(import.meta.dirname, '../..');
const code = globSync(['functions/**/*.ts', 'local/**/*.ts'], { cwd: root })
  .filter((path) => !path.endsWith('shared/job-failure.ts'))
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n');

describe('failureCodes', () => {
  test('every code: some job or command fails with it', () => {
    expect(Object.keys(failureCodes).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  });
});

describe('JobFailure', () => {
  test('its message: problem, what was and was not changed, one hint', () => {
    const failure = new JobFailure({
      code: 'job.locked',
      problem: 'it is locked',
      safeState: 'Nothing was done',
      hint: 'wait',
    });

    expect(failure.message).toBe('it is locked. Nothing was done. Hint: wait.');
  });

  test('an error of several attempts (both addresses of a host): the first one is described, on one line', () => {
    const error = new AggregateError([new Error('connect ECONNREFUSED ::1:1\nstack'), new Error('other')]);

    expect(describeError(error)).toBe('connect ECONNREFUSED ::1:1');
    expect(describeError('text\nmore')).toBe('text');
  });
});
