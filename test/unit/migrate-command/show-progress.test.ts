import { describe, expect, test } from 'vitest';
import type { LongReport } from '../../../functions/migrate/long/long-step.ts';
import { systemClock } from '../../../functions/shared/clock.ts';
import { describeLongStep, shortLongStep } from '../../../local/migrate/describe-long-step.ts';
import { createProgress, watchLongStep } from '../../../local/migrate/show-progress.ts';

const REPORT: LongReport = {
  number: 2,
  direction: 'up',
  statement: 3,
  firstLine: 'create index concurrently i on t (a)',
  operation: 'create index concurrently',
  state: 'at work',
  processId: 812,
  seconds: 38,
  phase: 'building index: scanning table',
  done: 1_350,
  total: 3_000,
  unit: 'blocks',
  etaSeconds: 46,
  blockers: null,
};

function terminal(isTTY: boolean, columns = 400) {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  return { output: { write, isTTY, columns } as never, written };
}

describe('describeLongStep', () => {
  test('at work: phase, share, blocks, time left and time since', () => {
    expect(describeLongStep(REPORT)).toBe(
      '0002 up, statement 3, create index concurrently: at work (pid 812), building index: scanning table, 45 %, 1,350 of 3,000 blocks, about 46 s left, for 38 s',
    );
  });

  test('waiting: who is in the way comes with it', () => {
    const blockers = 'pid 9 ("app", transaction open for 35 s)';

    expect(describeLongStep({ ...REPORT, state: 'waiting', done: null, total: null, etaSeconds: null, blockers })).toBe(
      `0002 up, statement 3, create index concurrently: waiting (pid 812), building index: scanning table, for 38 s, behind ${blockers}`,
    );
  });

  test('stopped batches: the rows that are done stay, and no time left is promised', () => {
    const stopped = { ...REPORT, operation: 'batches', state: 'stopped', processId: null, phase: null } as const;

    expect(describeLongStep({ ...stopped, total: null, unit: 'rows' })).toBe(
      '0002 up, statement 3, batches: stopped, the next up or down goes on, 1,350 rows, begun 38 s ago',
    );
  });
});

describe('createProgress', () => {
  test('a terminal: one line that is written over, no wider than the terminal, and gone before the next fact', () => {
    const { output, written } = terminal(true, 60);
    const progress = createProgress(output);

    progress.showLongStep(REPORT);
    progress.showLongStep(REPORT);
    progress.log.info('migrate.file_applied', { number: 2, name: 'a', statements: 1, durationMs: 1_200 });

    expect(written[0]).toBe(`\r\u001b[2K${shortLongStep(REPORT).slice(0, 59)}`);
    expect(written[0]).toContain('0002 statement 3  45 %  about 46 s left  38 s  ');
    expect(written.slice(1)).toEqual([written[0], '\r\u001b[2K', '0002_a: applied, 1 statement in 1.2 s\n']);
  });

  test('no terminal: whole lines without control characters', () => {
    const { output, written } = terminal(false);
    const progress = createProgress(output);

    progress.showLongStep(REPORT);
    progress.log.warn('migrate.lock_not_gained', { problem: 'no lock', attempt: 1, attempts: 10, pause_ms: 500 });
    progress.log.info('migrate.up_to_date', { current: 2 });
    progress.clear();

    expect(written).toEqual([`${describeLongStep(REPORT)}\n`, 'no lock; try 1 of 10, again in 0.5 s\n']);
  });
});

describe('watchLongStep', () => {
  const clock = {
    ...systemClock,
    sleep: async (_: number, signal?: AbortSignal) => await systemClock.sleep(1, signal),
  };

  test('looks that fail: said once, and the run is not disturbed', async () => {
    const { output, written } = terminal(false);
    let looks = 0;
    const watch = watchLongStep(
      async () => {
        looks += 1;
        throw new Error('no session');
      },
      createProgress(output),
      clock,
    );

    await expect.poll(() => looks).toBeGreaterThan(2);
    await watch.stop();

    expect(written).toEqual(['how far it is could not be read: no session\n']);
  });

  test('a statement at work, then none: its line is shown, and nothing after that', async () => {
    const { output, written } = terminal(false);
    const reports = [REPORT, undefined, { ...REPORT, state: 'stopped' } as const];
    let looks = 0;
    const watch = watchLongStep(async () => reports[looks++], createProgress(output), clock);

    await expect.poll(() => looks).toBeGreaterThan(3);
    await watch.stop();

    expect(written).toEqual([`${describeLongStep(REPORT)}\n`]);
  });
});
