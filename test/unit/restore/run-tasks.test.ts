import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Database, DatabaseSession } from '../../../functions/shared/database.ts';
import { runTasks, type Scheduled } from '../../../functions/shared/restore/run-tasks.ts';

type Task = Scheduled & { act?: (attempt: number) => Promise<void> };

function task(name: string, more: Partial<Task> = {}): Task {
  return { name, after: [], tables: [], isExclusive: false, weight: 0, ...more };
}

class Lost extends Error {}

/** A pool whose sessions do nothing; `failing` says whether the n-th one cannot be opened. */
function fakeDatabase(failing: (session: number) => boolean = () => false) {
  let opened = 0;
  let open = 0;
  const session: DatabaseSession = {
    processId: 0,
    query: async () => ({ rows: [], rowCount: 0 }),
    copyOut: async () => ({ rows: 0 }),
    copyIn: async () => ({ rows: 0 }),
  };
  const database = {
    withSession: async <T>(use: (one: DatabaseSession) => Promise<T>): Promise<T> => {
      opened += 1;
      if (failing(opened)) throw new Error('no session');
      open += 1;
      try {
        return await use(session);
      } finally {
        open -= 1;
      }
    },
  } as Database;
  return { database, opened: () => opened, open: () => open };
}

interface RunOptions {
  jobs?: number;
  done?: readonly string[];
  pause?: AbortSignal;
  signal?: AbortSignal;
  pool?: ReturnType<typeof fakeDatabase>;
}

/** Runs the tasks; what was done in its order, and what ran at the same time. */
async function run(tasks: readonly Task[], options: RunOptions = {}) {
  const pool = options.pool ?? fakeDatabase();
  const order: string[] = [];
  const ended: string[] = [];
  const running = new Set<Task>();
  const together: [Task, Task][] = [];
  const attempts = new Map<string, number>();
  let prepared = 0;
  const never = new AbortController().signal;
  const result = await runTasks<Task>({
    tasks,
    done: new Set(options.done ?? []),
    jobs: options.jobs ?? 2,
    database: pool.database,
    prepare: async () => {
      prepared += 1;
    },
    run: async (_, one) => {
      order.push(one.name);
      for (const other of running) together.push([one, other]);
      running.add(one);
      const attempt = (attempts.get(one.name) ?? 0) + 1;
      attempts.set(one.name, attempt);
      try {
        await Promise.resolve();
        await one.act?.(attempt);
      } finally {
        running.delete(one);
      }
    },
    mayRetry: (error) => error instanceof Lost,
    onDone: ({ name }) => void ended.push(name),
    pause: options.pause ?? never,
    signal: options.signal ?? never,
  }).then(
    (isDone) => ({ isDone, error: undefined }),
    (error: unknown) => ({ isDone: undefined, error }),
  );
  return { ...result, order, ended, together, attempts, prepared: () => prepared, pool, running };
}

describe('runTasks', () => {
  test('no task: done, and no session is needed for long', async () => {
    expect(await run([])).toMatchObject({ isDone: true, order: [] });
  });

  test('several sessions: the heaviest that may begin comes first', async () => {
    const { order } = await run([task('a', { weight: 1 }), task('b', { weight: 9 }), task('c', { weight: 5 })], {
      jobs: 1,
    });
    const parallel = await run([task('a', { weight: 1 }), task('b', { weight: 9 }), task('c', { weight: 5 })], {
      jobs: 2,
    });

    expect(order).toEqual(['a', 'b', 'c']);
    expect(parallel.order).toEqual(['b', 'c', 'a']);
  });

  test('one session: the order of the archive, whatever the weights', async () => {
    const tasks = [task('a', { after: ['c'] }), task('b', { weight: 9 }), task('c')];

    expect((await run(tasks, { jobs: 1 })).order).toEqual(['b', 'c', 'a']);
  });

  test('what is done already: not done again, and nobody waits for it', async () => {
    expect((await run([task('a'), task('b', { after: ['a'] })], { done: ['a'] })).order).toEqual(['b']);
  });

  test('any tasks: each once, each after what it waits for, and never two at once that lock each other out', async () => {
    const arbitrary = fc.array(
      fc.record({
        after: fc.array(fc.nat(30)),
        tables: fc.array(fc.nat(3)),
        isExclusive: fc.boolean(),
        weight: fc.nat(5),
        pause: fc.nat(3),
      }),
      { maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.integer({ min: 1, max: 5 }), async (drawn, jobs) => {
        const tasks = drawn.map(({ after, pause, ...more }, index) =>
          task(`t${index}`, {
            ...more,
            // Only earlier ones, so that there is a way.
            after: after.filter((one) => one < index).map((one) => `t${one}`),
            act: async () => {
              for (let n = 0; n < pause; n += 1) await new Promise((resolve) => setImmediate(resolve));
            },
          }),
        );

        const { isDone, ended, order, together, pool } = await run(tasks, { jobs });

        expect(isDone).toBe(true);
        expect(order.toSorted()).toEqual(tasks.map(({ name }) => name).toSorted());
        for (const { name, after } of tasks)
          for (const one of after) expect(ended.indexOf(one)).toBeLessThan(ended.indexOf(name));
        const conflicts = together.filter(
          ([a, b]) => (a.isExclusive || b.isExclusive) && a.tables.some((table) => b.tables.includes(table)),
        );
        expect(conflicts).toEqual([]);
        expect(pool.open()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('a lost session: the task is tried again on a new one, which is prepared as well', async () => {
    const { isDone, attempts, ended, prepared } = await run(
      [
        task('a', {
          act: async (attempt) => {
            if (attempt < 3) throw new Lost('lost');
          },
        }),
        task('b', { after: ['a'] }),
      ],
      { jobs: 1 },
    );

    expect({ isDone, ended }).toEqual({ isDone: true, ended: ['a', 'b'] });
    expect(attempts.get('a')).toBe(3);
    expect(prepared()).toBe(3);
  });

  test('lost three times: given up with that error', async () => {
    const { error, attempts } = await run([
      task('a', {
        act: async () => {
          throw new Lost('lost for good');
        },
      }),
    ]);

    expect(error).toEqual(new Lost('lost for good'));
    expect(attempts.get('a')).toBe(3);
  });

  test('a failure that is no lost session: not tried again, nothing more is begun, what runs ends first', async () => {
    const other = Promise.withResolvers<void>();
    const failing = task('failing', {
      weight: 9,
      act: async () => {
        // The other one ends later than this one fails.
        setTimeout(() => other.resolve(), 20);
        throw new Error('refused');
      },
    });
    const slow = task('slow', { weight: 8, act: async () => await other.promise });

    const { error, order, ended, pool } = await run([failing, slow, task('never')]);

    expect(error).toEqual(new Error('refused'));
    expect(order).toEqual(['failing', 'slow']);
    expect(ended).toEqual(['slow']);
    expect(pool.open()).toBe(0);
  });

  test('no session can be opened: that error, and nothing was begun', async () => {
    const { error, order } = await run([task('a')], { pool: fakeDatabase(() => true) });

    expect(error).toEqual(new Error('no session'));
    expect(order).toEqual([]);
  });

  test('paused: what runs goes on to its end, nothing more is begun, and it is not done', async () => {
    const pause = new AbortController();
    const first = task('first', { act: async () => pause.abort() });

    const { isDone, ended } = await run([first, task('second', { after: ['first'] })], { pause: pause.signal });

    expect({ isDone, ended }).toEqual({ isDone: false, ended: ['first'] });
  });

  test('paused during the last task: done', async () => {
    const pause = new AbortController();

    expect((await run([task('only', { act: async () => pause.abort() })], { pause: pause.signal })).isDone).toBe(true);
  });

  test('broken off: the reason of the signal, although a session only waits', async () => {
    const stop = new AbortController();
    const reason = new Error('Ctrl-C');
    const first = task('first', {
      act: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        stop.abort(reason);
      },
    });

    const { error, order } = await run([first, task('second', { after: ['first'] })], { signal: stop.signal });

    expect(error).toBe(reason);
    expect(order).toEqual(['first']);
  });

  test('tasks that wait for each other: an error instead of a wait for ever', async () => {
    const tasks = [task('a', { after: ['b'] }), task('b', { after: ['a'] }), task('c')];

    const { error, ended } = await run(tasks);

    expect(error).toEqual(new Error('2 steps of the restore wait for each other'));
    expect(ended).toEqual(['c']);
  });
});
