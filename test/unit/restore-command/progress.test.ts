import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RestoreProgress } from '../../../functions/shared/restore/restore-progress.ts';
import { progressLine } from '../../../local/restore/progress-line.ts';
import { startProgress } from '../../../local/restore/show-progress.ts';

const MIB = 1_048_576;

function progress(more: Partial<RestoreProgress> = {}): RestoreProgress {
  return {
    stage: 'rows and indexes',
    bytes: 25 * MIB,
    totalBytes: 100 * MIB,
    tables: 1,
    totalTables: 4,
    built: 2,
    totalBuilt: 9,
    running: ['"app"."readings"'],
    ...more,
  };
}

const wide = { startBytes: 0, elapsedMs: 5_000, width: 500 };

describe('progressLine', () => {
  test('rows are coming: how much, how fast, how long, what is done', () => {
    expect(progressLine(progress(), wide)).toBe(
      'rows  ████░░░░░░░░░░░░  25 %  25.0 MiB of 100 MiB  5.0 MiB/s  rows in about 15 s  1 of 4 tables  2 of 9 indexes and keys  5 s',
    );
  });

  test('an earlier run has loaded a part: the speed is that of this run', () => {
    expect(progressLine(progress(), { ...wide, startBytes: 20 * MIB })).toContain('1.0 MiB/s  rows in about 75 s');
  });

  test.each([
    ['in the first seconds', progress(), { ...wide, elapsedMs: 1_000 }],
    ['before a byte has come', progress({ bytes: 0 }), wide],
  ])('%s: no speed and no guess', (_, figures, at) => {
    expect(progressLine(figures, at)).not.toMatch(/\/s|about/);
  });

  test('all rows are in: the indexes that are being built, by name', () => {
    const line = progressLine(
      progress({
        bytes: 100 * MIB,
        tables: 4,
        running: ['INDEX "app"."a"', 'CONSTRAINT "app"."b"', 'INDEX "app"."c"'],
      }),
      { ...wide, elapsedMs: 3_725_000 },
    );

    expect(line).toMatch(/^indexes .*2 of 9 indexes and keys {2}INDEX "app"\."a", CONSTRAINT "app"\."b" {2}1 h 2 min$/);
  });

  test('a step was tried again, so that more came than there is: never more than all', () => {
    expect(progressLine(progress({ bytes: 130 * MIB }), wide)).toContain('100 %  100 MiB of 100 MiB');
  });

  test('no rows at all: no division by zero', () => {
    expect(progressLine(progress({ bytes: 0, totalBytes: 0, tables: 0, totalTables: 0, running: [] }), wide)).toBe(
      'indexes  ████████████████  100 %  0 B of 0 B  0 of 0 tables  2 of 9 indexes and keys  5 s',
    );
  });

  test.each(['structure', 'privileges', 'statistics'] as const)('%s: the stage and the time', (stage) => {
    expect(progressLine(progress({ stage }), { ...wide, elapsedMs: 61_900 })).toBe(`${stage}  61 s`);
  });

  test('any width: never wider, and the share and the time left stay longest', () => {
    for (let width = 1; width < 160; width += 1) {
      const line = progressLine(progress(), { ...wide, width });
      expect(line.length).toBeLessThanOrEqual(width);
      if (width >= 40) expect(line).toMatch(/^rows .*25 % .*rows in about 15 s/);
      if (width >= 79) expect(line).toContain('2 of 9 indexes and keys');
    }
  });
});

describe('startProgress', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function shown(isTTY: boolean, columns = 100) {
    let text = '';
    const output = {
      isTTY,
      columns,
      write: (piece: string | Uint8Array) => {
        text += String(piece);
        return true;
      },
    };
    const clock = { now: () => new Date(), monotonicMs: () => Date.now(), sleep: async () => {} };
    return { progress: startProgress(output, clock), text: () => text };
  }

  test('a terminal: one line that is written over, and nothing of it is left at the end', () => {
    const { progress: shownProgress, text } = shown(true);
    shownProgress.update(progress());
    vi.advanceTimersByTime(450);
    shownProgress.stop();
    shownProgress.stop();

    const lines = text().split('\r\u001b[2K');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^rows/);
    expect(lines[3]).toBe('');
    expect(lines.every((line) => line.length < 100)).toBe(true);
  });

  test('elsewhere: a line for each new stage, then one every ten seconds, without control characters', () => {
    const { progress: shownProgress, text } = shown(false);
    shownProgress.update(progress({ stage: 'structure' }));
    shownProgress.update(progress());
    shownProgress.update(progress({ bytes: 26 * MIB }));
    vi.advanceTimersByTime(20_500);
    shownProgress.update(progress({ stage: 'done' }));
    shownProgress.stop();
    vi.advanceTimersByTime(60_000);

    const lines = text().split('\n');
    expect(lines.map((line) => line.split('  ')[0])).toEqual(['structure', 'rows', 'rows', 'rows', '']);
    expect(text()).not.toMatch(/[^\P{Cc}\n]/u);
  });

  test('nothing was told: nothing is written', () => {
    const { progress: shownProgress, text } = shown(true);
    vi.advanceTimersByTime(1_000);
    shownProgress.stop();

    expect(text()).toBe('');
  });
});
