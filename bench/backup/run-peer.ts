// One run of a peer: its command with its output where the sink says, and its archive read back where it was kept.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchWorld } from './bench-world.ts';
import type { BenchCase, Variant } from './cases.ts';
import type { DataSet } from './data-sets.ts';
import { peerCommand } from './peer-commands.ts';
import { countArchiveRows } from './prove-rows.ts';
import { runProgram } from './run-client.ts';
import type { Outcome } from './run-record.ts';

/** Runs it once; `readBack` also reads the rows of the archive, where there is one. */
export async function runPeer(
  world: BenchWorld,
  dataSet: DataSet,
  { sink, variant }: BenchCase & { variant: Extract<Variant, { who: 'peer' }> },
  folder: string,
  readBack: boolean,
): Promise<Outcome> {
  const command = peerCommand(world.peers, variant, sink, dataSet, folder);
  const run = await runProgram(command, {
    serverProcessId: world.cluster.processId,
    sinkProcessId: undefined,
    signal: world.signal,
  });
  const isRead = readBack && command.output !== undefined;
  if (command.output !== undefined && isRead) {
    await countArchiveRows(world.peers.clients, command.output, dataSet.rows, world.signal);
  }
  return {
    ...run,
    functionSeconds: null,
    archiveBytes: command.output === undefined ? null : sizeOf(command.output),
    rows: isRead ? dataSet.rows : null,
    proof: isRead ? 'archive read back' : 'exit code',
    requests: null,
  };
}

function sizeOf(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
}
