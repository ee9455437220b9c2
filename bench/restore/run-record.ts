// What is kept of every single restore; the JSON file has these as they are.
import type { Measured } from '../backup/run-client.ts';
import type { StepName } from './cases.ts';

export interface RestoreStep extends Measured {
  name: StepName;
}

export interface RestoreRecord {
  /** The place in the order of all runs, from 1. */
  position: number;
  round: number;
  dataSet: string;
  /** Bytes of COPY text that were restored. */
  copyBytes: number;
  ofCase: string;
  startedAt: string;
  /** Null for a run that failed, or whose database was not what was backed up. */
  steps: RestoreStep[] | null;
  /** Why it failed; null for a run that ended well. */
  failure: string | null;
}
