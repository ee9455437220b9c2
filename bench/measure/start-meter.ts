// Measures one run: the client with all its children, the server with all its backends, and the sink.
// Reads /proc every 50 ms, which costs about 1 % of a processor; only one run may be measured at a time.
import { readMemory, readTime, readTree, treeSeconds } from './process-figures.ts';

const SAMPLE_MS = 50;

export interface Usage {
  cpuSeconds: number;
  /** Most memory at one moment. Of the client the whole tree; of the server private memory, and shared memory once. MiB. */
  peakMiB: number;
}

export interface RunUsage {
  client: Usage & {
    /** Of the first process alone, without those that it has started: for ours that of the function. MiB. */
    firstProcessPeakMiB: number;
  };
  server: Usage;
  /** Null for a sink that is no process. */
  sink: Usage | null;
}

export interface Meter {
  /** The client has been started. */
  watchClient(processId: number): void;
  /** The client has ended and was waited for. */
  stop(): RunUsage;
}

/** Begins to count; call it before the client is started. */
export function startMeter(serverProcessId: number, sinkProcessId: number | undefined): Meter {
  const before = {
    client: reapedByUs(),
    server: treeSeconds(serverProcessId),
    sink: sinkProcessId === undefined ? 0 : treeSeconds(sinkProcessId),
  };
  let clientProcessId: number | undefined;
  const peaks = { client: 0, first: 0, server: 0, sink: 0 };
  const sample = () => {
    if (clientProcessId !== undefined) {
      const memories = readTree(clientProcessId).map((pid) => readMemory(pid));
      // What the kernel has kept as the peak of one process is exact; the sum over several is only as of the samples.
      peaks.first = Math.max(peaks.first, memories[0]?.peakMiB ?? 0);
      const sum = memories.reduce((total, memory) => total + (memory?.residentMiB ?? 0), 0);
      peaks.client = Math.max(peaks.client, sum, peaks.first);
    }
    peaks.server = Math.max(peaks.server, serverMiB(serverProcessId));
    if (sinkProcessId !== undefined) peaks.sink = Math.max(peaks.sink, readMemory(sinkProcessId)?.peakMiB ?? 0);
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    watchClient: (processId) => {
      clientProcessId = processId;
      sample();
    },
    stop: () => {
      clearInterval(timer);
      return {
        client: {
          cpuSeconds: reapedByUs() - before.client,
          peakMiB: peaks.client,
          firstProcessPeakMiB: peaks.first,
        },
        server: { cpuSeconds: treeSeconds(serverProcessId) - before.server, peakMiB: peaks.server },
        sink:
          sinkProcessId === undefined
            ? null
            : { cpuSeconds: treeSeconds(sinkProcessId) - before.sink, peakMiB: peaks.sink },
      };
    },
  };
}

/** Exact for a client of any length: nothing else that this process has started ends while a run is measured. */
function reapedByUs(): number {
  return readTime('self')?.reapedSeconds ?? 0;
}

function serverMiB(serverProcessId: number): number {
  const memories = readTree(serverProcessId).map((pid) => readMemory(pid));
  const privateMiB = memories.reduce((sum, memory) => sum + (memory?.privateMiB ?? 0), 0);
  return privateMiB + Math.max(0, ...memories.map((memory) => memory?.sharedMiB ?? 0));
}
