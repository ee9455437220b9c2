// What is kept of every single run; the JSON file has these as they are.
import type { RunUsage } from '../measure/start-meter.ts';
import type { Sink } from './cases.ts';

export interface Outcome {
  wallSeconds: number;
  /** Ours: as the function logs it, so without the start of the process. Null for peers. */
  functionSeconds: number | null;
  usage: RunUsage;
  /** Null where the archive went to /dev/null. */
  archiveBytes: number | null;
  /** Proven by `proof`; null where only the exit code was seen. */
  rows: number | null;
  proof: 'manifest' | 'manifest, archive read back' | 'archive read back' | 'exit code';
  /** To the discarding store; null for the others. */
  requests: number | null;
}

export interface RunRecord {
  /** The place in the order of all runs, from 1. */
  position: number;
  round: number;
  dataSet: string;
  variant: string;
  sink: Sink;
  latencyMs: number;
  startedAt: string;
  /** Bytes of COPY text per second of wall time, in 10^6. Null for a run that failed. */
  copyMegabytesPerSecond: number | null;
  outcome: Outcome | null;
  /** Why it failed; null for a run that ended well. */
  failure: string | null;
}
