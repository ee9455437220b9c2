// From where on purge waits for the server, and for how long before it looks again. Read by read-pressure.ts.

export interface PressureLimits {
  /** Seconds that a streaming replica may be behind in replaying. */
  readonly replicaLagSeconds: number;
  /** Bytes of WAL that it may still have to replay: one that has stopped replaying tells no seconds. */
  readonly replicaLagBytes: number;
  /** Seconds that an Aurora reader may be behind. */
  readonly auroraLagSeconds: number;
  /** Bytes of WAL that a replication slot may keep from being removed. */
  readonly slotBytes: number;
}

export const pressureLimits: PressureLimits = {
  // Ten times the default of pt-archiver's --max-lag, which looks before each batch; this looks between some.
  replicaLagSeconds: 10,
  // max_wal_size by default: what a server writes between two checkpoints.
  replicaLagBytes: 1024 ** 3,
  // Usually below 0.1 s, as the storage is shared; pt-archiver's --max-lag.
  auroraLagSeconds: 1,
  // The smallest disk of an RDS instance. A subscriber that is down fills the disk with or without purge; purge must not help.
  slotBytes: 20 * 1024 ** 3,
};

/** Seconds after which another look is worth it: a replica catches up in moments, a slot needs a person. */
export const LOOK_AGAIN_SECONDS = { replica: 30, vacuum: 60, slot: 300 } as const;
