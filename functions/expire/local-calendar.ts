// The calendar of a time zone: in which hour, day, week, month and year an instant lies, and calendar arithmetic. Pure.
import type { BucketKind, PolicyDuration } from './keep-policy.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface LocalCalendar {
  /** The names of the natural buckets that an instant lies in: `2026-11-22T02`, `2026-11-22`, `2026-W47`, `2026-11`, `2026`. */
  bucketsOf(instant: Date): Readonly<Record<BucketKind, string>>;
  /**
   * The instant a duration earlier: years and months, then days, by the local calendar, then hours by the clock.
   *
   * A day that the month does not have is its last one, as in PostgreSQL's intervals. A local time that a change of the
   * clocks skips or repeats is the earlier of the two instants.
   */
  before(instant: Date, duration: PolicyDuration): Date;
}

/** Makes the calendar of an IANA time zone; throws RangeError for a name that is none. */
export function localCalendar(timeZone: string): LocalCalendar {
  const format = formatOf(timeZone);

  /** The wall clock at an instant, as if it were UTC. */
  function wallClockMs(instantMs: number): number {
    const found: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instantMs)) found[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = found;
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((instantMs % 1_000) + 1_000) % 1_000);
  }

  function instantOf(wantedMs: number): number {
    // The offset in force at a wall-clock time is that of the day before or of the day after it.
    const candidates = [wantedMs - DAY_MS, wantedMs + DAY_MS].map((near) => wantedMs - (wallClockMs(near) - near));
    const existing = candidates.filter((instant) => wallClockMs(instant) === wantedMs);
    return Math.min(...(existing.length > 0 ? existing : candidates));
  }

  return {
    bucketsOf: (instant) => {
      const wallClock = new Date(wallClockMs(instant.getTime()));
      const digits = wallClock.toISOString();
      return {
        hourly: digits.slice(0, 13),
        daily: digits.slice(0, 10),
        weekly: isoWeek(wallClock),
        monthly: digits.slice(0, 7),
        yearly: digits.slice(0, 4),
      };
    },
    before: (instant, { years, months, days, hours }) => {
      const wallClock = new Date(wallClockMs(instant.getTime()));
      const month = wallClock.getUTCFullYear() * 12 + wallClock.getUTCMonth() - years * 12 - months;
      const lastDay = new Date(Date.UTC(Math.floor(month / 12), (((month % 12) + 12) % 12) + 1, 0));
      const day = Math.min(wallClock.getUTCDate(), lastDay.getUTCDate());
      const midnight = Date.UTC(lastDay.getUTCFullYear(), lastDay.getUTCMonth(), day) - days * DAY_MS;
      return new Date(instantOf(midnight + (wallClock.getTime() % DAY_MS)) - hours * HOUR_MS);
    },
  };
}

/** `2026-W53`: the ISO week, which belongs to the year of its Thursday. */
function isoWeek(wallClock: Date): string {
  const weekday = (wallClock.getUTCDay() + 6) % 7;
  const thursday = new Date(wallClock.getTime() + (3 - weekday) * DAY_MS);
  const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - newYear) / (7 * DAY_MS)) + 1;
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
}

/** Making one takes longer than all that is done with it in a run, and a test makes thousands of plans. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timeZone, made);
  return made;
}
