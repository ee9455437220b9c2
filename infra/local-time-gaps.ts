// Finds the nights in which a local time does not exist because clocks go forward. EventBridge Scheduler skips such a
// run (user guide, "Daylight savings time"), so load-config.ts refuses the time instead of losing one backup a year.

const DAY_MS = 86_400_000;

/** The first date, as `2027-03-28`, within 400 days of `from` on which the time `HH:MM` is skipped in the zone. */
export function firstSkippedDate(at: string, timeZone: string, from: Date): string | undefined {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const wallClockMs = (instantMs: number) => {
    const parts = Object.fromEntries(format.formatToParts(instantMs).map(({ type, value }) => [type, value]));
    return Date.parse(`${parts['year']}-${parts['month']}-${parts['day']}T${parts['hour']}:${parts['minute']}:00Z`);
  };
  const offsetMs = (instantMs: number) => wallClockMs(instantMs) - instantMs;

  const firstDay = Math.floor(from.getTime() / DAY_MS) * DAY_MS;
  for (let day = 0; day < 400; day += 1) {
    const date = new Date(firstDay + day * DAY_MS).toISOString().slice(0, 10);
    const wanted = Date.parse(`${date}T${at}:00Z`);
    // The offset in force at a wall-clock time is that of the day before or of the day after it.
    const exists = [wanted - DAY_MS, wanted + DAY_MS].some((near) => {
      const instant = wanted - offsetMs(near);
      return wallClockMs(instant) === wanted;
    });
    if (!exists) return date;
  }
  return undefined;
}
