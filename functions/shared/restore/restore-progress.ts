// How far a restore is, in figures for a person: stored bytes that have come, steps that are done.
import { quoteQualified } from '../quote-identifier.ts';
import { nameOfEntry } from './entry-kinds.ts';
import type { RestoreTask } from './restore-tasks.ts';

export type RestoreStage = 'structure' | 'rows and indexes' | 'privileges' | 'statistics' | 'done';

export interface RestoreProgress {
  stage: RestoreStage;
  /** Stored bytes of rows and large objects; what was loaded by an earlier call counts as read. */
  bytes: number;
  totalBytes: number;
  tables: number;
  totalTables: number;
  /** Indexes, constraints and whatever else is made after the rows. */
  built: number;
  totalBuilt: number;
  /** What is being done now, the longest at it first. */
  running: readonly string[];
}

export interface ProgressCounter {
  begin(tasks: readonly RestoreTask[], done: ReadonlySet<string>): void;
  addBytes(bytes: number): void;
  /** Runs `work` and shows `task` as running meanwhile. */
  during(task: RestoreTask, work: () => Promise<void>): Promise<void>;
  taskDone(task: RestoreTask): void;
  stage(stage: RestoreStage): void;
}

/** A counter that tells whenever something has changed. */
export function createProgress(onProgress: (progress: RestoreProgress) => void): ProgressCounter {
  const progress: RestoreProgress = {
    stage: 'structure',
    bytes: 0,
    totalBytes: 0,
    tables: 0,
    totalTables: 0,
    built: 0,
    totalBuilt: 0,
    running: [],
  };
  const running = new Set<RestoreTask>();
  /** Steps with rows that are still to come, by table. */
  const openSteps = new Map<number, number>();
  const tell = () => onProgress({ ...progress, running: [...running].map(nameOfTask) });
  const taskDone = (task: RestoreTask) => {
    if (task.kind === 'sql') progress.built += 1;
    if (task.kind !== 'rows') return;
    const { dumpId } = task.step.table;
    const left = (openSteps.get(dumpId) ?? 1) - 1;
    openSteps.set(dumpId, left);
    if (left === 0) progress.tables += 1;
  };
  return {
    begin: (tasks, done) => {
      for (const task of tasks) {
        progress.totalBytes += storedBytes(task);
        if (task.kind === 'sql') progress.totalBuilt += 1;
        if (task.kind !== 'rows') continue;
        const { dumpId } = task.step.table;
        openSteps.set(dumpId, (openSteps.get(dumpId) ?? 0) + 1);
      }
      progress.totalTables = openSteps.size;
      for (const task of tasks.filter(({ name }) => done.has(name))) {
        progress.bytes += storedBytes(task);
        taskDone(task);
      }
      tell();
    },
    addBytes: (bytes) => {
      progress.bytes += bytes;
      tell();
    },
    during: async (task, work) => {
      running.add(task);
      tell();
      try {
        await work();
      } finally {
        running.delete(task);
      }
    },
    taskDone: (task) => {
      taskDone(task);
      tell();
    },
    stage: (stage) => {
      progress.stage = stage;
      tell();
    },
  };
}

function nameOfTask(task: RestoreTask): string {
  if (task.kind === 'sql') return nameOfEntry(task.entry);
  return task.kind === 'rows' ? quoteQualified(task.step.table.schema, task.step.table.name) : task.name;
}

function storedBytes(task: RestoreTask): number {
  if (task.kind === 'large objects') return task.step.objects.reduce((sum, { object }) => sum + object.bytes, 0);
  if (task.kind !== 'rows') return 0;
  const { ranges, stored } = task.step;
  return ranges.reduce((sum, index) => sum + (stored.ranges[index]?.length ?? 0), 0);
}
