// What every operation of the object store is given and gives back.
import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '../../functions/shared/clock.ts';
import type { Operation } from './name-operation.ts';
import type { Bucket } from './open-bucket.ts';
import type { StoreRequest } from './read-request.ts';

/** What S3's own copying to another bucket has come to; for tests, because nothing is copied here. */
export type ReplicationHook = (object: {
  readonly bucket: string;
  readonly key: string;
}) => 'PENDING' | 'COMPLETED' | 'FAILED' | undefined;

export interface StoreAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An XML document. */
  readonly document?: string;
  /** Bytes `start` to `end` (inclusive) of a file; it is closed when the answer has gone out or the client has left. */
  readonly file?: { readonly handle: FileHandle; readonly start: number; readonly end: number };
}

export interface OperationParts {
  readonly request: StoreRequest & { readonly operation: Operation };
  readonly bucket: Bucket;
  readonly clock: Pick<Clock, 'now'>;
  readonly replication: ReplicationHook | undefined;
}

export type StoreOperation = (parts: OperationParts) => Promise<StoreAnswer>;
