// What is kept of every single run; the JSON file has these as they are.
import type { Latency } from './pgbench-log.ts';

/** Of the DELETE, or of our purge, as it tells them. */
export interface Deletion {
  /** From the login to the answer; ms since 1970. */
  fromMs: number;
  toMs: number;
  /** 1 for the DELETE; of ours the times that it had to be run until its policy was complete. */
  runs: number;
  batches: number;
  /** Null when there was no batch. */
  slowestBatchMs: number | null;
}

export interface PurgeFigures extends Deletion {
  seconds: number;
  /** Rows of app.event per second. */
  rowsPerSecond: number;
  /** What the server wrote meanwhile, minus what the load would have written by its speed before. */
  walBytes: number;
  /** Of that before the purge, per second. */
  loadWalBytesPerSecond: number;
  /** Transactions of the application that touch no row past retention. */
  live: { idle: Latency | null; during: Latency | null };
  /** Updates of rows past retention. */
  expired: { idle: Latency | null; during: Latency | null };
  /** The longest of any session, seen every 50 ms. */
  longestLockWaitMs: number;
}

export interface PurgeRecord {
  /** The place in the order of all runs, from 1. */
  position: number;
  round: number;
  ofCase: string;
  startedAt: string;
  /** Null for a run that failed. */
  figures: PurgeFigures | null;
  /** Why it failed; null for a run that ended well. */
  failure: string | null;
}
