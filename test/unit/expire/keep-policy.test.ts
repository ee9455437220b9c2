import { assert, constantFrom, dictionary, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expireSettings } from '../../../functions/expire/environment.ts';
import { describePolicy, parseDuration, parseKeepPolicy } from '../../../functions/expire/keep-policy.ts';

describe('parseKeepPolicy', () => {
  test('every rule at once: each is read, the duration by its units', () => {
    const policy = parseKeepPolicy('within=2y5m7d3h, last=3,hourly=24,daily=7,weekly=5,monthly=12,yearly=75');

    expect(policy).toEqual({
      within: { years: 2, months: 5, days: 7, hours: 3, text: '2y5m7d3h' },
      last: 3,
      hourly: 24,
      daily: 7,
      weekly: 5,
      monthly: 12,
      yearly: 75,
    });
    expect(describePolicy(policy ?? {})).toBe(
      'within 2y5m7d3h, last 3, hourly 24, daily 7, weekly 5, monthly 12, yearly 75',
    );
  });

  test.each([
    '',
    ' ',
    ',',
    'last',
    'last=',
    'last=0',
    'last=-1',
    'last=1.5',
    'last=10001',
    'last=3,last=4',
    'last=3=4',
    'last=3,',
    'keepLast=3',
    'within=',
    'within=0d',
    'within=30',
    'within=4w',
    'within=7d30m',
    'within=1d,within=2d',
    'toString=3',
    '__proto__=3',
  ])('"%s": refused, never read as something else', (text) => {
    expect(parseKeepPolicy(text)).toBeUndefined();
  });

  test('any rules: what is written is what is read', () => {
    const rules = dictionary(
      constantFrom('last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'),
      integer({ min: 1, max: 10_000 }),
      {
        minKeys: 1,
      },
    );
    assert(
      property(rules, (wanted) => {
        const text = Object.entries(wanted)
          .map(([rule, count]) => `${rule}=${count}`)
          .join(',');

        expect(parseKeepPolicy(text)).toEqual({ ...wanted });
      }),
    );
  });
});

describe('parseDuration', () => {
  test.each([
    ['30d', { years: 0, months: 0, days: 30, hours: 0 }],
    ['1y6m', { years: 1, months: 6, days: 0, hours: 0 }],
    ['36h', { years: 0, months: 0, days: 0, hours: 36 }],
  ])('%s: read by its units', (text, parts) => {
    expect(parseDuration(text)).toEqual({ ...parts, text });
  });
});

describe('expireSettings', () => {
  test.each([
    ['Europe/Berlin', 'Europe/Berlin'],
    ['Mars/Olympus', undefined],
  ])('TIME_ZONE is "%s": %s', (name, expected) => {
    expect(expireSettings.TIME_ZONE.parse(name)).toBe(expected);
  });
});
