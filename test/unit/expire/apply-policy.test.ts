// The rules of restic's documentation ("Removing snapshots according to a policy"), on examples worked out by hand.
import { describe, expect, test } from 'vitest';
import { applyPolicy } from '../../../functions/expire/apply-policy.ts';
import { parseKeepPolicy } from '../../../functions/expire/keep-policy.ts';
import { localCalendar } from '../../../functions/expire/local-calendar.ts';

/** What is kept, newest first, with its reasons; the instants may come in any order. */
function keptOf(policy: string, instants: readonly string[], timeZone = 'Etc/UTC'): string[] {
  const newestFirst = instants.map((instant) => new Date(instant)).toSorted((a, b) => b.getTime() - a.getTime());
  const reasons = applyPolicy(newestFirst, parseKeepPolicy(policy) ?? {}, localCalendar(timeZone));
  return newestFirst.flatMap((instant, index) => {
    const some = reasons[index] ?? [];
    return some.length === 0 ? [] : [`${instant.toISOString().slice(0, 16)} ${some.join(' + ')}`];
  });
}

/** The Sundays of restic's own example: 2019-09-01 to 2019-11-17, 11:00. */
const SUNDAYS = Array.from({ length: 12 }, (_, week) =>
  new Date(Date.UTC(2019, 8, 1, 11) + week * 7 * 86_400_000).toISOString(),
);

const everyHour = (from: string, count: number) =>
  Array.from({ length: count }, (_, hour) => new Date(Date.parse(from) + hour * 3_600_000).toISOString());

describe('applyPolicy', () => {
  test("restic's example, twelve Sundays and daily=4: the last four Sundays, because only days with a backup count", () => {
    expect(keptOf('daily=4', SUNDAYS)).toEqual([
      '2019-11-17T11:00 daily 2019-11-17',
      '2019-11-10T11:00 daily 2019-11-10',
      '2019-11-03T11:00 daily 2019-11-03',
      '2019-10-27T11:00 daily 2019-10-27',
    ]);
  });

  test('last=2: the two newest', () => {
    expect(keptOf('last=2', SUNDAYS)).toEqual(['2019-11-17T11:00 last 1 of 2', '2019-11-10T11:00 last 2 of 2']);
  });

  test('hourly=2, three in one hour: the newest of each of the last two hours that have one', () => {
    const instants = [
      '2026-01-05T10:10Z',
      '2026-01-05T10:50Z',
      '2026-01-05T10:59:59Z',
      '2026-01-05T07:00Z',
      '2026-01-05T03:00Z',
    ];

    expect(keptOf('hourly=2', instants)).toEqual([
      '2026-01-05T10:59 hourly 2026-01-05T10',
      '2026-01-05T07:00 hourly 2026-01-05T07',
    ]);
  });

  test('monthly=2: the newest of each month, and nothing for months without one', () => {
    expect(keptOf('monthly=2', SUNDAYS)).toEqual([
      '2019-11-17T11:00 monthly 2019-11',
      '2019-10-27T11:00 monthly 2019-10',
    ]);
  });

  test('monthly=12 with three months of backups: the oldest is kept too, so that the history grows', () => {
    expect(keptOf('monthly=12', SUNDAYS)).toEqual([
      '2019-11-17T11:00 monthly 2019-11',
      '2019-10-27T11:00 monthly 2019-10',
      '2019-09-29T11:00 monthly 2019-09',
      '2019-09-01T11:00 oldest, monthly 2019-09',
    ]);
  });

  test('monthly=3 with three months of backups: the rule is full, the oldest is not kept', () => {
    expect(keptOf('monthly=3', SUNDAYS)).toHaveLength(3);
  });

  test('yearly=2: the newest of each year', () => {
    const instants = ['2024-12-31T23:59Z', '2025-01-01T00:00Z', '2025-12-31T00:00Z', '2026-01-01T00:00Z'];

    expect(keptOf('yearly=2', instants)).toEqual(['2026-01-01T00:00 yearly 2026', '2025-12-31T00:00 yearly 2025']);
  });

  // 2020 has 53 ISO weeks: 2020-W53 is Monday 28 December 2020 to Sunday 3 January 2021. 2024-12-30 is already 2025-W01.
  test("weekly at a year's end: the ISO week decides, which belongs to the year of its Thursday", () => {
    const around2021 = ['2020-12-27T12:00Z', '2020-12-28T12:00Z', '2021-01-03T23:59Z', '2021-01-04T00:00Z'];
    const around2025 = ['2024-12-29T12:00Z', '2024-12-30T00:00Z', '2025-01-05T12:00Z'];

    expect(keptOf('weekly=3', around2021)).toEqual([
      '2021-01-04T00:00 weekly 2021-W01',
      '2021-01-03T23:59 weekly 2020-W53',
      '2020-12-27T12:00 weekly 2020-W52',
    ]);
    expect(keptOf('weekly=2', around2025)).toEqual([
      '2025-01-05T12:00 weekly 2025-W01',
      '2024-12-29T12:00 weekly 2024-W52',
    ]);
  });

  test('rules are joined by "or": one backup has every reason', () => {
    expect(keptOf('within=8d,last=1,weekly=2,yearly=1', SUNDAYS.slice(-3))).toEqual([
      '2019-11-17T11:00 within 8d + last 1 of 1 + weekly 2019-W46 + yearly 2019',
      '2019-11-10T11:00 within 8d + weekly 2019-W45',
    ]);
  });

  test('within counts from the newest backup, not from now; exactly as old is no longer within', () => {
    expect(keptOf('within=14d', SUNDAYS)).toEqual(['2019-11-17T11:00 within 14d', '2019-11-10T11:00 within 14d']);
    expect(keptOf('within=14d1h', SUNDAYS)).toHaveLength(3);
  });

  // Three months before 31 May are the last day of February; a month before 31 March 2026 is 28 February.
  test('within with months: by the calendar, a day that the month does not have is its last one', () => {
    const instants = ['2026-05-31T02:00Z', '2026-02-28T02:01Z', '2026-02-28T02:00Z', '2026-02-28T01:59Z'];

    expect(keptOf('within=3m', instants)).toEqual(['2026-05-31T02:00 within 3m', '2026-02-28T02:01 within 3m']);
    expect(keptOf('within=1y', ['2024-02-29T00:00Z', '2023-02-28T00:01Z', '2023-02-28T00:00Z'])).toHaveLength(2);
  });

  test('days are those of the time zone: 23:30 UTC is the next day in Berlin and the same in New York', () => {
    const instants = ['2026-01-10T23:30Z', '2026-01-11T12:00Z'];

    expect(keptOf('daily=2', instants, 'Europe/Berlin')).toEqual([
      '2026-01-11T12:00 daily 2026-01-11',
      '2026-01-10T23:30 oldest, daily 2026-01-11',
    ]);
    expect(keptOf('daily=2', instants, 'America/New_York')).toEqual([
      '2026-01-11T12:00 daily 2026-01-11',
      '2026-01-10T23:30 daily 2026-01-10',
    ]);
  });

  // On 2026-10-25 clocks in Berlin go from 03:00 back to 02:00 at 01:00 UTC: 00:xx and 01:xx UTC are both hour 02.
  test('the hour that clocks repeat: it is one hour of the calendar', () => {
    const instants = everyHour('2026-10-24T23:30:00Z', 4);

    expect(keptOf('hourly=3', instants, 'Europe/Berlin')).toEqual([
      '2026-10-25T02:30 hourly 2026-10-25T03',
      '2026-10-25T01:30 hourly 2026-10-25T02',
      '2026-10-24T23:30 hourly 2026-10-25T01',
    ]);
  });

  // On 2026-03-29 clocks in Berlin go from 02:00 to 03:00 at 01:00 UTC: there is no hour 02.
  test('the hour that clocks skip: nothing is missing', () => {
    expect(keptOf('hourly=3', everyHour('2026-03-28T23:30:00Z', 3), 'Europe/Berlin')).toEqual([
      '2026-03-29T01:30 hourly 2026-03-29T03',
      '2026-03-29T00:30 hourly 2026-03-29T01',
      '2026-03-28T23:30 hourly 2026-03-29T00',
    ]);
  });

  test('no backup: no reason', () => {
    expect(keptOf('last=3,monthly=12', [])).toEqual([]);
  });
});

describe('localCalendar', () => {
  const day = { years: 0, months: 0, days: 1, hours: 0, text: '1d' };

  test.each([
    // A day of the calendar is 23 h and 25 h long when clocks change.
    ['Europe/Berlin', '2026-03-29T12:00:00.250Z', day, '2026-03-28T13:00:00.250Z'],
    ['Europe/Berlin', '2026-10-25T12:00:00Z', day, '2026-10-24T11:00:00.000Z'],
    // 02:30 does not exist on 29 March, and 02:30 is there twice on 25 October: the earlier instant of the two.
    ['Europe/Berlin', '2026-03-30T00:30:00Z', day, '2026-03-29T00:30:00.000Z'],
    ['Europe/Berlin', '2026-10-26T01:30:00Z', day, '2026-10-25T00:30:00.000Z'],
    // Lord Howe moves its clocks by half an hour.
    ['Australia/Lord_Howe', '2026-04-05T12:00:00Z', day, '2026-04-04T11:30:00.000Z'],
    // Hours are those of the clock.
    ['Europe/Berlin', '2026-03-29T12:00:00Z', { ...day, days: 0, hours: 24 }, '2026-03-28T12:00:00.000Z'],
    ['Etc/UTC', '2026-01-15T00:00:00Z', { ...day, days: 0, years: 1, months: 2 }, '2024-11-15T00:00:00.000Z'],
  ])('in %s before %s: %o is %s', (timeZone, instant, duration, expected) => {
    expect(localCalendar(timeZone).before(new Date(instant), duration).toISOString()).toBe(expected);
  });
});
