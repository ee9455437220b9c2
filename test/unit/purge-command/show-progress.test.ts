import { describe, expect, test } from 'vitest';
import { createProgress, progressLine } from '../../../local/purge/show-progress.ts';

function terminal(isTTY: boolean) {
  const written: string[] = [];
  let ms = 0;
  const output = { isTTY, columns: 60, write: (text: string) => written.push(text) > 0 };
  const progress = createProgress(output, { monotonicMs: () => ms });
  const batch = (rows: number, policy = 'events') =>
    progress.batchDone({ policy, table: 'app.event', rows, batchRows: 500, batchMs: 92 });
  return { written, progress, batch, at: (now: number) => (ms = now) };
}

describe('progressLine', () => {
  const base = { policy: 'events', rows: 250, expected: 1_000, rowsPerSecond: 50, batchRows: 500, batchMs: 91.6 };

  test('a known total: bar, share, speed and what is left of the time', () => {
    expect(progressLine(base)).toBe(
      'events  ████░░░░░░░░░░░░  25 %  250 of 1,000 rows  50/s  about 15 s left  500 rows in 92 ms',
    );
  });

  test('no speed yet: no time is guessed', () => {
    expect(progressLine({ ...base, rowsPerSecond: undefined })).not.toContain('left');
  });

  test('more than was counted, or nothing was counted: no bar that would be wrong', () => {
    for (const expected of [undefined, 0, 100])
      expect(progressLine({ ...base, expected })).toBe('events  250 rows  50/s  500 rows in 92 ms');
  });
});

describe('createProgress', () => {
  test('on a terminal: one line that is written over five times a second, no wider than the terminal, and taken away', () => {
    const { written, progress, batch, at } = terminal(true);
    progress.expect(new Map([['events', 1_000]]));
    for (const [now, rows] of [
      [0, 10],
      [100, 20],
      [3_000, 500],
    ] as const) {
      at(now);
      batch(rows);
    }
    progress.clear();

    expect(written).toHaveLength(3);
    expect(written[1]).toContain('500 of 1,000 rows');
    expect(written[1]?.length).toBeLessThanOrEqual(60 + '\r\u001b[2K'.length);
    expect(written[2]).toBe('\r\u001b[2K');
  });

  test('elsewhere: a line every ten seconds', () => {
    const { written, batch, at } = terminal(false);
    for (const now of [0, 5_000, 10_000]) {
      at(now);
      batch(now / 10 + 1);
    }

    expect(written).toHaveLength(2);
    expect(written.every((text) => text.endsWith('\n') && !text.includes('\u001b'))).toBe(true);
  });

  test('a pass after a pause counts anew: the line goes on from where it was', () => {
    const { written, batch, at, progress } = terminal(false);
    progress.expect(new Map([['events', 1_000]]));
    batch(400);
    at(10_000);
    batch(100);

    expect(written.at(-1)).toContain('500 of 1,000 rows');
  });

  test('a countdown: each second on a terminal, once elsewhere', () => {
    for (const isTTY of [true, false]) {
      const { written, progress } = terminal(isTTY);
      progress.waits('events waits; goes on in 2 s', true);
      progress.waits('events waits; goes on in 1 s', false);

      expect(written).toHaveLength(isTTY ? 2 : 1);
    }
  });

  test.each([
    ['purge.batch_done', {}, []],
    ['purge.partition_dropped', { policy: 'p', table: 'app.e_2020' }, ['p: app.e_2020 is dropped\n']],
    [
      'purge.batch_too_long',
      { rows: 500 },
      ['a batch of 500 rows took too long and was rolled back; the next one is half as large\n'],
    ],
    ['purge.unheard_of', { problem: 'x' }, ['purge.unheard_of: x\n']],
  ])('the fact %s: %j becomes %j', (event, fields, lines) => {
    const { written, progress } = terminal(false);
    progress.log.info(event, fields);

    expect(written).toEqual(lines);
  });
});
