import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { jobEventSchema, parseEvent } from '../../functions/shared/job-event.ts';

const schema = jobEventSchema('purge', { policyId: z.string().optional() });

describe('parseEvent', () => {
  test('the event of a schedule: parsed', () => {
    const event = { job: 'purge', scheduledTime: '2026-11-22T02:00:00Z' };

    expect(parseEvent('purge', schema, event)).toEqual(event);
  });

  test('dryRun is misspelt: refused, so that no real run is started', () => {
    expect(() => parseEvent('purge', schema, { job: 'purge', dryrun: true })).toThrow(
      /unknown "dryrun".*Nothing was read or written/,
    );
  });

  test('the event is for another job: refused with the actual value', () => {
    expect(() => parseEvent('purge', schema, { job: 'backup' })).toThrow(/job: is "backup"/);
  });

  test('requestedBy is blank: refused', () => {
    expect(() => parseEvent('purge', schema, { job: 'purge', requestedBy: ' ' })).toThrow(/requestedBy/);
  });

  test('the event is no object: refused', () => {
    expect(() => parseEvent('purge', schema, 'purge')).toThrow(/purge was started with an event that does not fit/);
  });
});
