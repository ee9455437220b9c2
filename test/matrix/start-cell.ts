// vitest global setup of the matrix: starts the server of one cell and provides it where all other tests have the cluster
// of this machine. What cannot be had is told to the tests, which then fail: it is never skipped.
import type { TestProject } from 'vitest/node';
import { findPostgres } from '../../local/postgres/find-binaries.ts';
import { startThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { cellOf } from './cells.ts';
import { type CellPrograms, getPrograms } from './get-programs.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why this cell cannot be tested; undefined when its cluster is provided. */
    matrixRefusal: string | undefined;
  }
}

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  try {
    const { server, clients } = await programsOf(project.name);
    const cluster = await startThrowawayCluster({
      binaries: server,
      settings: { max_connections: '100', max_prepared_transactions: '4' },
    });
    const { host, port, superuser, caFile, processId } = cluster;
    const { directory } = clients;
    project.provide('cluster', {
      host,
      port,
      ...superuser,
      caFile,
      clientDirectory: directory,
      major: server.major,
      processId,
    });
    project.provide('matrixRefusal', undefined);
    return async () => await cluster.stop();
  } catch (error) {
    project.provide('matrixRefusal', String(error));
    return undefined;
  }
}

async function programsOf(projectName: string): Promise<CellPrograms> {
  const cell = cellOf(projectName);
  if (cell) return await getPrograms(cell);
  const found = findPostgres();
  return { server: found, clients: found };
}
