// Whether S3 has copied an object to another bucket. Read by object-store.ts.

/** What S3 says of the copying of an object to another bucket; undefined when no rule applied to it when it was written. */
export type ReplicationStatus = 'PENDING' | 'COMPLETED' | 'FAILED' | 'REPLICA';

/** The documentation writes COMPLETE in one place and COMPLETED in another; what is neither is not taken for copied. */
export function replicationStatus(status: string | undefined): ReplicationStatus | undefined {
  if (status === 'COMPLETE') return 'COMPLETED';
  return status === 'COMPLETED' || status === 'FAILED' || status === 'REPLICA' || status === undefined
    ? status
    : 'PENDING';
}
