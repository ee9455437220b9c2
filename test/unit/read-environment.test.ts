import { describe, expect, test } from 'vitest';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import {
  choice,
  integer,
  optional,
  readEnvironment,
  text,
  withFallback,
} from '../../functions/shared/read-environment.ts';

const about = { summary: 'A setting.', example: '1' };
const settings = {
  BUCKET: text(about),
  RETENTION_DAYS: integer({ ...about, min: 1, max: 3650 }),
  BATCH_ROWS: withFallback(integer({ ...about, min: 1, max: 100 }), 50),
  UNSAFE_TLS: optional(choice({ ...about, of: ['disable', 'no-verify'] })),
} as const;

function failureOf(source: Record<string, string | undefined>): JobFailure {
  try {
    readEnvironment('backup', settings, source);
  } catch (error) {
    if (error instanceof JobFailure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('readEnvironment', () => {
  test('all settings are there: typed values, with the fallback for what is left out', () => {
    const values = readEnvironment('backup', settings, { BUCKET: 'b', RETENTION_DAYS: '30' });

    expect(values).toEqual({ BUCKET: 'b', RETENTION_DAYS: 30, BATCH_ROWS: 50, UNSAFE_TLS: undefined });
  });

  test('three settings are wrong: one failure names all three with actual and allowed value', () => {
    const failure = failureOf({ BUCKET: '  ', RETENTION_DAYS: '0', BATCH_ROWS: 'many' });

    expect(failure.code).toBe('settings.wrong');
    expect(failure.problem).toContain('3 settings are wrong');
    expect(failure.problem).toContain('BUCKET is not set');
    expect(failure.problem).toContain('RETENTION_DAYS is "0" but must be a whole number from 1 to 3650');
    expect(failure.problem).toContain('BATCH_ROWS is "many"');
    expect(failure.safeState).toBe('Nothing was read or written');
  });

  test.each(['', ' ', '\t'])('a number is blank (%j): it is missing, not 0', (blank) => {
    expect(failureOf({ BUCKET: 'b', RETENTION_DAYS: blank }).problem).toContain('RETENTION_DAYS is not set');
  });

  test.each(['1e3', '0x10', '-5', '3.5', '10 days', '1_000', '9007199254740993'])(
    'a number is written as %j: refused, because only digits in range count',
    (value) => {
      expect(failureOf({ BUCKET: 'b', RETENTION_DAYS: value }).problem).toContain(`RETENTION_DAYS is "${value}"`);
    },
  );

  test('a word is not in the list: the failure lists the words', () => {
    const failure = failureOf({ BUCKET: 'b', RETENTION_DAYS: '1', UNSAFE_TLS: 'off' });

    expect(failure.problem).toContain('UNSAFE_TLS is "off" but must be "disable" or "no-verify"');
  });
});
