// Medians and ratios of the runs of each case. Pure; the table, the targets and the JSON are made of it.
import { ratioOf, type Spread, spreadOf } from '../statistics.ts';
import { caseNames, dataSetNames, LIMIT, PARALLEL_PEER, type Sink, sinks } from './cases.ts';
import type { RunRecord } from './run-record.ts';

export interface CaseSummary {
  dataSet: string;
  variant: string;
  sink: Sink;
  latencyMs: number;
  failures: number;
  /** Undefined when every run failed. */
  wallSeconds: Spread | undefined;
  copyMegabytesPerSecond: number | undefined;
  clientCpuSeconds: number | undefined;
  serverCpuSeconds: number | undefined;
  sinkCpuSeconds: number | undefined;
  /** The highest of all runs, not the median: memory that is not there ends a function. */
  clientPeakMiB: number | undefined;
  firstProcessPeakMiB: number | undefined;
  serverPeakMiB: number | undefined;
  archiveBytes: number | undefined;
  /** Of the median wall times, to psql's (which always discards) and to the parallel pg_dump's with the same sink. */
  toLimit: number | undefined;
  toParallelPeer: number | undefined;
}

/** One summary for each case that was run, in the order of dataSetNames, sinks and caseNames. */
export function summarize(records: readonly RunRecord[]): CaseSummary[] {
  const groups = Map.groupBy(records, keyOf);
  const summaries = [...groups.values()].flatMap((runs) => (runs[0] === undefined ? [] : [summaryOf(runs[0], runs)]));
  const wallOf = (dataSet: string, variant: string, sink: Sink) =>
    summaries.find((one) => one.dataSet === dataSet && one.variant === variant && one.sink === sink)?.wallSeconds
      ?.median;
  const withRatios = summaries.map((one) => ({
    ...one,
    toLimit: ratioOf(one.wallSeconds?.median, wallOf(one.dataSet, LIMIT, 'discard')),
    toParallelPeer: ratioOf(one.wallSeconds?.median, wallOf(one.dataSet, PARALLEL_PEER, one.sink)),
  }));
  return withRatios.toSorted(
    (a, b) =>
      place(dataSetNames, a.dataSet) - place(dataSetNames, b.dataSet) ||
      place(sinks, a.sink) - place(sinks, b.sink) ||
      place(caseNames, a.variant) - place(caseNames, b.variant) ||
      a.latencyMs - b.latencyMs,
  );
}

function place(order: readonly string[], name: string): number {
  return order.indexOf(name);
}

function keyOf({ dataSet, variant, sink, latencyMs }: RunRecord): string {
  return JSON.stringify([dataSet, variant, sink, latencyMs]);
}

function summaryOf(about: RunRecord, runs: readonly RunRecord[]): CaseSummary {
  const outcomes = runs.flatMap(({ outcome }) => (outcome === null ? [] : [outcome]));
  const spread = (values: readonly (number | null | undefined)[]) =>
    spreadOf(values.filter((value) => value !== null && value !== undefined));
  return {
    dataSet: about.dataSet,
    variant: about.variant,
    sink: about.sink,
    latencyMs: about.latencyMs,
    failures: runs.length - outcomes.length,
    wallSeconds: spread(outcomes.map(({ wallSeconds }) => wallSeconds)),
    copyMegabytesPerSecond: spread(runs.map((run) => run.copyMegabytesPerSecond))?.median,
    clientCpuSeconds: spread(outcomes.map(({ usage }) => usage.client.cpuSeconds))?.median,
    serverCpuSeconds: spread(outcomes.map(({ usage }) => usage.server.cpuSeconds))?.median,
    sinkCpuSeconds: spread(outcomes.map(({ usage }) => usage.sink?.cpuSeconds))?.median,
    clientPeakMiB: spread(outcomes.map(({ usage }) => usage.client.peakMiB))?.max,
    firstProcessPeakMiB: spread(outcomes.map(({ usage }) => usage.client.firstProcessPeakMiB))?.max,
    serverPeakMiB: spread(outcomes.map(({ usage }) => usage.server.peakMiB))?.max,
    archiveBytes: spread(outcomes.map(({ archiveBytes }) => archiveBytes))?.median,
    toLimit: undefined,
    toParallelPeer: undefined,
  };
}
