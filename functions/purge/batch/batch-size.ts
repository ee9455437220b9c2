// How many rows the next batch takes: grows slowly while batches are short, and is halved when one was long or kept others
// waiting (AIMD). Pure.

/** Fewer cost more in round trips than they could hurt in locks. */
const LEAST_ROWS = 50;
const MOST_ROWS = 100_000;
/** Of the starting size: from 5,000 to 20,000 rows it takes fifteen batches. */
const STEP = 0.2;

export interface BatchSize {
  readonly rows: number;
  /** After a batch that held its locks for so long, while so many sessions waited for them. */
  after(batch: { ms: number; rows: number; waiters: number }): void;
  /** A statement was cancelled because it ran too long; false when it cannot be smaller. */
  halve(): boolean;
}

/** `target` is the time in milliseconds that a batch should stay below; `most` bounds the rows where a policy says so. */
export function createBatchSize(options: { start: number; most: number | undefined; targetMs: number }): BatchSize {
  const most = Math.min(options.most ?? MOST_ROWS, MOST_ROWS);
  const least = Math.min(LEAST_ROWS, most);
  let rows = Math.min(options.start, most);
  const step = Math.max(1, Math.round(options.start * STEP));
  const set = (wanted: number) => {
    rows = Math.min(most, Math.max(least, Math.round(wanted)));
  };
  return {
    get rows() {
      return rows;
    },
    after: (batch) => {
      // A batch that found fewer rows than it might have taken tells nothing about more.
      const wasFull = batch.rows >= rows;
      if (batch.waiters > 0 || batch.ms > options.targetMs) set(rows / 2);
      else if (wasFull && batch.ms < options.targetMs / 4) set(Math.min(rows * 2, rows + 4 * step));
      else if (wasFull && batch.ms < options.targetMs * 0.8) set(rows + step);
    },
    halve: () => {
      const before = rows;
      set(rows / 2);
      return rows < before;
    },
  };
}
