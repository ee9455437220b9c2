// vitest global setup of the projects that need PostgreSQL: one throw-away cluster per project, whose address is provided.
import type { TestProject } from 'vitest/node';
import { startThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    cluster: {
      host: string;
      port: number;
      user: string;
      password: string;
      caFile: string;
      clientDirectory: string;
      major: number;
      processId: number;
    };
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startThrowawayCluster({ settings: { max_connections: '200', max_prepared_transactions: '4' } });
  project.provide('cluster', {
    host: cluster.host,
    port: cluster.port,
    user: cluster.superuser.user,
    password: cluster.superuser.password,
    caFile: cluster.caFile,
    clientDirectory: cluster.binaries.directory,
    major: cluster.binaries.major,
    processId: cluster.processId,
  });
  return async () => await cluster.stop();
}
