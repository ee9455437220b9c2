// What is compared: ours in its variants, the peers with their options, and where the archive goes.
// Names are stable: the JSON, --only and docs/benchmarks.md use them.

export const dataSetNames = ['wide', 'pair', 'pgbench'] as const;
export type DataSetName = (typeof dataSetNames)[number];

/** discard: S3 that counts and forgets; /dev/null and a memory file system for the peers. disk: the local store; a folder beside it. */
export const sinks = ['discard', 'disk'] as const;
export type Sink = (typeof sinks)[number];

interface OursVariant {
  name: string;
  who: 'ours';
  codec: 'gzip' | 'zstd';
  workers: number;
}

interface PeerVariant {
  name: string;
  who: 'peer';
  program: 'pg_dump' | 'psql';
  options: readonly string[];
  /** pg_dump of this major and newer has the options. */
  since: number;
}

export type Variant = OursVariant | PeerVariant;

export interface BenchCase {
  variant: Variant;
  sink: Sink;
  latencyMs: number;
}

const ours = (codec: 'gzip' | 'zstd', workers: number): OursVariant => ({
  name: `ours-${codec}-w${workers}`,
  who: 'ours',
  codec,
  workers,
});

const peer = (name: string, program: PeerVariant['program'], options: readonly string[], since = 0): PeerVariant => ({
  name,
  who: 'peer',
  program,
  options,
  since,
});

export const LIMIT = 'psql-copy';
export const PARALLEL_PEER = 'pg_dump-fd-j2-z1';
export const DEFAULT_PEER = 'pg_dump-fc';

const variants: readonly Variant[] = [
  ours('gzip', 1),
  ours('gzip', 2),
  ours('zstd', 1),
  ours('zstd', 2),
  peer('pg_dump-fc-z1', 'pg_dump', ['-Fc', '-Z1']),
  peer(DEFAULT_PEER, 'pg_dump', ['-Fc']),
  peer(PARALLEL_PEER, 'pg_dump', ['-Fd', '-j2', '-Z1']),
  // Beside our zstd stands the same of pg_dump.
  peer('pg_dump-fd-j2-zstd1', 'pg_dump', ['-Fd', '-j2', '--compress=zstd:1'], 16),
  peer(LIMIT, 'psql', []),
];

export const caseNames: readonly string[] = variants.map(({ name }) => name);

/** The majors from which on zstd works: server and pg_restore for ours, pg_dump for the peer. */
const ZSTD_SINCE = 16;

/**
 * All cases to run on one data set, in the order of the tables.
 *
 * zstd only where the server is 16 or newer; more latency than 0 only for ours and the discarding sink, because only
 * ours speaks S3 and a disk under it would hide the effect; psql only discards.
 */
export function chooseCases(chosen: {
  serverMajor: number;
  sinks: readonly Sink[];
  latenciesMs: readonly number[];
  only?: readonly string[] | undefined;
}): BenchCase[] {
  const { serverMajor, only } = chosen;
  const usable = variants.filter(
    (variant) =>
      (only === undefined || only.includes(variant.name)) &&
      serverMajor >= (variant.who === 'peer' ? variant.since : variant.codec === 'zstd' ? ZSTD_SINCE : 0),
  );
  return chosen.sinks.flatMap((sink) =>
    usable.flatMap((variant): BenchCase[] => {
      if (variant.name === LIMIT && sink !== 'discard') return [];
      const latencies = variant.who === 'ours' && sink === 'discard' ? chosen.latenciesMs : [0];
      return latencies.map((latencyMs) => ({ variant, sink, latencyMs }));
    }),
  );
}

/** As the progress lines and messages name a case. */
export function describeCase({ variant, sink, latencyMs }: BenchCase): string {
  return `${variant.name} ${sink}${latencyMs > 0 ? ` +${latencyMs} ms` : ''}`;
}
