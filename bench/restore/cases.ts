// What is compared: our restore and stock pg_restore, from where each has its archive. Names are stable: the JSON and
// docs/benchmarks.md use them.

/** Sessions of every restore, ours and the peers'. */
export const JOBS = 2;
/** Of each request to S3, where a case has it. */
export const LATENCY_MS = 100;

export type StepName = 'download' | 'pg_restore' | 'vacuumdb' | 'ours';

export interface RestoreCase {
  name: string;
  /** From where the archive comes: files that are there already, or S3 with so many ms more for each request. */
  from: 'files' | { latencyMs: number };
  /** What is run and measured, in order. */
  steps: readonly StepName[];
}

export const restoreCases = [
  { name: 'pg_restore', from: 'files', steps: ['pg_restore', 'vacuumdb'] },
  { name: 'download-100ms', from: { latencyMs: LATENCY_MS }, steps: ['download', 'pg_restore', 'vacuumdb'] },
  { name: 'ours', from: { latencyMs: 0 }, steps: ['ours'] },
  { name: 'ours-100ms', from: { latencyMs: LATENCY_MS }, steps: ['ours'] },
] as const satisfies readonly RestoreCase[];

/** A line of the tables: a case, or what it is together with one step more. */
export interface RestoreRow {
  name: string;
  ofCase: (typeof restoreCases)[number]['name'];
  steps: readonly StepName[];
}

export const FILES_PEER = 'pg_restore-j2';
export const DOWNLOAD_PEER = 'download-100ms-pg_restore-j2';
export const OURS = 'ours-j2';
export const OURS_LATE = 'ours-j2-100ms';

/** In the order of the tables. The statistics of ours are part of it; those of the peers are a line of their own. */
export const restoreRows: readonly RestoreRow[] = [
  { name: FILES_PEER, ofCase: 'pg_restore', steps: ['pg_restore'] },
  { name: `${FILES_PEER}-vacuumdb`, ofCase: 'pg_restore', steps: ['pg_restore', 'vacuumdb'] },
  { name: OURS, ofCase: 'ours', steps: ['ours'] },
  { name: DOWNLOAD_PEER, ofCase: 'download-100ms', steps: ['download', 'pg_restore'] },
  { name: `${DOWNLOAD_PEER}-vacuumdb`, ofCase: 'download-100ms', steps: ['download', 'pg_restore', 'vacuumdb'] },
  { name: OURS_LATE, ofCase: 'ours-100ms', steps: ['ours'] },
];
