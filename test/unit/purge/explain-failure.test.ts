import { describe, expect, test } from 'vitest';
import { explainFailure } from '../../../functions/purge/explain-failure.ts';

describe('explainFailure', () => {
  test('a data exception quotes a row value: only its code is kept', () => {
    const error = Object.assign(new Error('invalid input syntax for type integer: "ada@example.org"'), {
      code: '22P02',
    });

    const failure = explainFailure('events', 12, error);

    expect(failure.message).not.toContain('ada@example.org');
    expect(failure.message).toContain('22P02');
    expect(failure.safeState).toContain('12 rows of this run were deleted before it');
  });

  test('the connection is gone: a lost session, whatever the driver calls it', () => {
    expect(explainFailure('events', 0, new Error('Connection terminated unexpectedly')).code).toBe(
      'database.session_lost',
    );
  });

  test.each([
    ['57P01', 'terminating connection due to administrator command'],
    ['25P03', 'terminating connection due to idle-in-transaction timeout'],
    ['25P04', 'terminating connection due to transaction timeout'],
  ])('the server has ended the session with %s (%s): a lost session', (code, message) => {
    const failure = explainFailure('events', 3, Object.assign(new Error(message), { code }));

    expect(failure).toMatchObject({ code: 'database.session_lost', problem: expect.stringContaining(message) });
  });
});
