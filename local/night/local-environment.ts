// The environment of a function in the local night: that of the template, with AWS and Lambda's own paths made local.
import { randomBytes } from 'node:crypto';
import { clientToolsSettings, databaseSettings } from '../../functions/shared/environment.ts';
import type { JobName } from '../../functions/shared/jobs.ts';
import { findClientDirectories } from '../postgres/find-binaries.ts';
import type { DeployedStack } from '../template/read-functions.ts';
import { LOCAL_REGION } from '../template/resolve-value.ts';

export interface Endpoints {
  s3: string;
  secretsManager: string;
}

/**
 * `caFile` replaces Lambda's list of authorities; undefined leaves the setting of the template as it is.
 * The client programs of this machine stand in for the layer. Both only where the template means Lambda's own path.
 */
export function localEnvironment(
  stack: DeployedStack,
  job: JobName,
  endpoints: Endpoints,
  tls: { caFile: string | undefined; unsafe: 'disable' | 'no-verify' | undefined },
): Record<string, string> {
  const environment: Record<string, string> = { ...stack.functions[job].environment };
  const clients = findClientDirectories().map(({ directory }) => directory);
  const isLambdaPath = (name: string, path: string) => (environment[name] ?? path) === path;
  if (tls.caFile !== undefined && isLambdaPath('DATABASE_CA_FILE', databaseSettings.DATABASE_CA_FILE.fallback ?? '')) {
    environment['DATABASE_CA_FILE'] = tls.caFile;
  }
  const layer = clientToolsSettings.POSTGRES_CLIENT_DIRECTORIES.fallback ?? '';
  if (isLambdaPath('POSTGRES_CLIENT_DIRECTORIES', layer)) {
    environment['POSTGRES_CLIENT_DIRECTORIES'] = clients.join(':');
  }
  delete environment['UNSAFE_DATABASE_TLS'];
  if (tls.unsafe) environment['UNSAFE_DATABASE_TLS'] = tls.unsafe;
  return {
    ...environment,
    AWS_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: randomBytes(16).toString('hex'),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
    AWS_LAMBDA_FUNCTION_NAME: `local-${job}`,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(stack.functions[job].memoryMiB),
    TZ: ':UTC',
  };
}
