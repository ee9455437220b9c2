// Does the tasks of a restore with several sessions: each when what it waits for is done, never two at once that would lock
// each other out. Knows nothing of what a task does.
import type { Database, DatabaseSession } from '../database.ts';
import type { RestoreTask } from './restore-tasks.ts';

export type Scheduled = Pick<RestoreTask, 'name' | 'after' | 'tables' | 'isExclusive' | 'weight'>;

interface TaskRun<T extends Scheduled> {
  tasks: readonly T[];
  /** Names of those that are done already. */
  done: ReadonlySet<string>;
  jobs: number;
  database: Database;
  /** Settings of each new session. */
  prepare(session: DatabaseSession): Promise<void>;
  run(session: DatabaseSession, task: T): Promise<void>;
  /** Whether the same task may be tried again on a new session after this. */
  mayRetry(error: unknown): boolean;
  onDone(task: T): void;
  /** From then on no task is begun. */
  pause: AbortSignal;
  signal: AbortSignal;
}

/** How often a task is begun at the most: a session may be lost, but not for ever. */
const ATTEMPTS = 3;

/** Whether all tasks are done; false when `pause` came first. The first failure is thrown when all sessions have ended. */
export async function runTasks<T extends Scheduled>(request: TaskRun<T>): Promise<boolean> {
  const queue = createQueue(request.tasks, request.done, request.jobs === 1);
  const failures: unknown[] = [];
  const attempts = new Map<T, number>();
  let wake = Promise.withResolvers<void>();
  const changed = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const next = async (): Promise<T | undefined> => {
    for (;;) {
      if (failures.length > 0 || request.pause.aborted || queue.isEmpty()) return undefined;
      request.signal.throwIfAborted();
      const task = queue.take();
      if (task !== undefined) return task;
      await wake.promise;
    }
  };
  const worker = async () => {
    for (;;) {
      let task: T | undefined;
      try {
        await request.database.withSession(async (session) => {
          await request.prepare(session);
          for (task = await next(); task !== undefined; task = await next()) {
            await request.run(session, task);
            queue.end(task);
            request.onDone(task);
            changed();
          }
        });
        changed();
        return;
      } catch (error) {
        const tried = task === undefined ? 1 : (attempts.get(task) ?? 0) + 1;
        if (task === undefined || tried >= ATTEMPTS || !request.mayRetry(error)) {
          failures.push(error);
          changed();
          return;
        }
        attempts.set(task, tried);
        queue.giveBack(task);
      }
    }
  };
  const onAbort = () => changed();
  request.signal.addEventListener('abort', onAbort, { once: true });
  request.pause.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.all(Array.from({ length: Math.max(1, Math.min(request.jobs, request.tasks.length)) }, worker));
  } finally {
    request.signal.removeEventListener('abort', onAbort);
    request.pause.removeEventListener('abort', onAbort);
  }
  if (failures.length > 0) throw failures[0];
  return queue.isEmpty();
}

/** The tasks that may be begun now: the heaviest first, or with one worker in their own order. */
function createQueue<T extends Scheduled>(tasks: readonly T[], done: ReadonlySet<string>, inOrder: boolean) {
  const open = tasks.filter(({ name }) => !done.has(name));
  const names = new Set(open.map(({ name }) => name));
  const followers = new Map<string, T[]>();
  const missing = new Map<T, number>();
  const ready: T[] = [];
  const running = new Set<T>();
  const order = new Map(open.map((task, index) => [task, index]));
  const before = (a: T, b: T) => (inOrder ? 0 : b.weight - a.weight) || (order.get(a) ?? 0) - (order.get(b) ?? 0);
  const makeReady = (task: T) => {
    const at = ready.findIndex((one) => before(task, one) < 0);
    ready.splice(at === -1 ? ready.length : at, 0, task);
  };
  for (const task of open) {
    const after = new Set(task.after.filter((name) => names.has(name)));
    for (const name of after) followers.set(name, [...(followers.get(name) ?? []), task]);
    missing.set(task, after.size);
  }
  for (const task of open) if (missing.get(task) === 0) ready.push(task);
  ready.sort(before);
  let left = open.length;
  return {
    isEmpty: () => left === 0,
    take: (): T | undefined => {
      const at = ready.findIndex((task) => ![...running].some((other) => areInConflict(task, other)));
      const [task] = at === -1 ? [] : ready.splice(at, 1);
      if (task !== undefined) running.add(task);
      else if (running.size === 0 && left > 0 && ready.length === 0)
        throw new Error(`${left} steps of the restore wait for each other`);
      return task;
    },
    giveBack: (task: T) => {
      running.delete(task);
      makeReady(task);
    },
    end: (task: T) => {
      running.delete(task);
      left -= 1;
      for (const follower of followers.get(task.name) ?? []) {
        const still = (missing.get(follower) ?? 1) - 1;
        missing.set(follower, still);
        if (still === 0) makeReady(follower);
      }
    },
  };
}

function areInConflict(a: Scheduled, b: Scheduled): boolean {
  return (a.isExclusive || b.isExclusive) && a.tables.some((table) => b.tables.includes(table));
}
