// What all parts of one run of purge share.
import type { Database, DatabaseSession } from '../shared/database.ts';
import type { JobContext } from '../shared/job-handler.ts';
import type { SigningKey } from '../shared/signing-key.ts';
import type { KeptSettings } from './certificate/kept-until.ts';
import type { LinkGraph } from './links/link-graph.ts';
import type { PressureLimits } from './pressure/pressure-limits.ts';
import type { RunRequest } from './state/run-state.ts';

export interface PurgeSettings {
  /** Rows of the first batch. */
  readonly batchRows: number;
  /** How long a batch should hold its locks. */
  readonly targetBatchMs: number;
  /** Of one statement outside of a batch. */
  readonly statementTimeoutMs: number;
  readonly pressure: PressureLimits;
  readonly kept: KeptSettings;
}

export interface PurgeContext extends Pick<JobContext, 'clock' | 'log' | 'signal' | 'store'> {
  /** For a second session, which watches what the first one does. */
  readonly connection: Database;
  readonly session: DatabaseSession;
  /** The name of the database in the bucket. */
  readonly database: string;
  readonly graph: LinkGraph;
  readonly request: RunRequest;
  readonly settings: PurgeSettings;
  /** Undefined: certificates are not signed. */
  readonly signingKey: SigningKey | undefined;
  /** How long a statement may take now, so that it ends before the function does. */
  timeLeftMs(): number;
  /** Told after each committed batch. */
  readonly onProgress?: ((progress: PurgeProgress) => void) | undefined;
}

export interface PurgeProgress {
  readonly policy: string;
  readonly table: string;
  /** Rows of the table that this run has done. */
  readonly rows: number;
  readonly batchRows: number;
  readonly batchMs: number;
}
