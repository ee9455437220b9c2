// Medians and ratios of the restores, line by line of the table. Pure; the table, the targets and the JSON are made of it.
import { dataSetNames } from '../backup/cases.ts';
import { judge, type Target } from '../backup/targets.ts';
import type { RunUsage } from '../measure/start-meter.ts';
import { ratioOf, type Spread, spreadOf } from '../statistics.ts';
import { DOWNLOAD_PEER, FILES_PEER, LATENCY_MS, OURS, OURS_LATE, type RestoreRow, restoreRows } from './cases.ts';
import type { RestoreRecord, RestoreStep } from './run-record.ts';

export interface RestoreSummary {
  dataSet: string;
  row: string;
  failures: number;
  /** Of all steps of the line together. Undefined when every run failed. */
  wallSeconds: Spread | undefined;
  copyMegabytesPerSecond: number | undefined;
  clientCpuSeconds: number | undefined;
  serverCpuSeconds: number | undefined;
  /** Undefined for a line without S3. */
  storeCpuSeconds: number | undefined;
  /** The highest of all runs, with the programs that it starts; of the first process alone. MiB. */
  clientPeakMiB: number | undefined;
  firstProcessPeakMiB: number | undefined;
  /** Of the median wall times, to those of the two peers without statistics. */
  toFilesPeer: number | undefined;
  toDownloadPeer: number | undefined;
}

/** One summary for each line of each data set that was run, in the order of dataSetNames and restoreRows. */
export function summarizeRestores(records: readonly RestoreRecord[]): RestoreSummary[] {
  return dataSetNames.flatMap((dataSet) => {
    const own = records.filter((record) => record.dataSet === dataSet);
    const summaries = restoreRows.flatMap((row) => {
      const runs = own.filter(({ ofCase }) => ofCase === row.ofCase);
      return runs.length === 0 ? [] : [summaryOf(dataSet, row, runs)];
    });
    const wallOf = (name: string) => summaries.find(({ row }) => row === name)?.wallSeconds?.median;
    return summaries.map((one) => ({
      ...one,
      toFilesPeer: ratioOf(one.wallSeconds?.median, wallOf(FILES_PEER)),
      toDownloadPeer: ratioOf(one.wallSeconds?.median, wallOf(DOWNLOAD_PEER)),
    }));
  });
}

function summaryOf(dataSet: string, row: RestoreRow, runs: readonly RestoreRecord[]): RestoreSummary {
  const ended = runs.flatMap(({ steps, copyBytes }) =>
    steps === null ? [] : [{ copyBytes, steps: steps.filter(({ name }) => row.steps.includes(name)) }],
  );
  const perRun = (figure: (steps: readonly RestoreStep[]) => number | undefined) =>
    spreadOf(ended.map(({ steps }) => figure(steps)).filter((value) => value !== undefined));
  const sum = (figure: (usage: RunUsage) => number | undefined) => (steps: readonly RestoreStep[]) => {
    const figures = steps.map(({ usage }) => figure(usage)).filter((value) => value !== undefined);
    return figures.length === 0 ? undefined : figures.reduce((total, one) => total + one, 0);
  };
  const peak = (figure: (usage: RunUsage) => number) =>
    perRun((steps) => Math.max(...steps.map(({ usage }) => figure(usage))))?.max;
  const wallOf = (steps: readonly RestoreStep[]) => steps.reduce((total, { wallSeconds }) => total + wallSeconds, 0);
  return {
    dataSet,
    row: row.name,
    failures: runs.length - ended.length,
    wallSeconds: perRun(wallOf),
    copyMegabytesPerSecond: spreadOf(ended.map(({ copyBytes, steps }) => copyBytes / 1e6 / wallOf(steps)))?.median,
    clientCpuSeconds: perRun(sum(({ client }) => client.cpuSeconds))?.median,
    serverCpuSeconds: perRun(sum(({ server }) => server.cpuSeconds))?.median,
    storeCpuSeconds: perRun(sum(({ sink }) => sink?.cpuSeconds))?.median,
    clientPeakMiB: peak(({ client }) => client.peakMiB),
    firstProcessPeakMiB: peak(({ client }) => client.firstProcessPeakMiB),
    toFilesPeer: undefined,
    toDownloadPeer: undefined,
  };
}

const MOST_TO_FILES = 1.05;
const MOST_TO_DOWNLOAD = 0.8;
const PEAK_MIB = 200;

/** All targets with what was measured; ours with statistics, the peers without. */
export function judgeRestores(summaries: readonly RestoreSummary[]): Target[] {
  const find = (dataSet: string, name: string) => summaries.find((one) => one.dataSet === dataSet && one.row === name);
  const dataSets = new Set(summaries.map(({ dataSet }) => dataSet));
  const ratios = [...dataSets].flatMap((dataSet) => [
    judge({
      unit: 'x',
      name: 'ours to pg_restore -j2 of local files',
      dataSet,
      limit: MOST_TO_FILES,
      measured: find(dataSet, OURS)?.toFilesPeer,
    }),
    judge({
      unit: 'x',
      name: `ours to download and pg_restore -j2, both with ${LATENCY_MS} ms`,
      dataSet,
      limit: MOST_TO_DOWNLOAD,
      measured: find(dataSet, OURS_LATE)?.toDownloadPeer,
    }),
  ]);
  const peaks = summaries
    .filter(({ row }) => row === OURS || row === OURS_LATE)
    .map(({ clientPeakMiB }) => clientPeakMiB)
    .filter((value) => value !== undefined);
  const measured = peaks.length === 0 ? undefined : Math.max(...peaks);
  return [
    ...ratios,
    judge({ unit: 'MiB', name: 'peak memory of ours, all runs', dataSet: 'all', limit: PEAK_MIB, measured }),
  ];
}
