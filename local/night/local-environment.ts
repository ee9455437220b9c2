// The environment of a function in the local night: that of the template, with AWS and Lambda's own paths made local.
import { randomBytes } from 'node:crypto';
import type { JobName } from '../../functions/shared/jobs.ts';
import { findClientDirectories } from '../postgres/find-binaries.ts';
import type { DeployedStack } from '../template/read-functions.ts';
import { LOCAL_REGION } from '../template/resolve-value.ts';

/** Where Lambda has the certificate authorities of AWS, and where it mounts the layer with the client programs. */
const LAMBDA_CA_FILE = '/var/runtime/ca-cert.pem';
const LAMBDA_LAYER = '/opt';

export interface Endpoints {
  s3: string;
  secretsManager: string;
}

/** `caFile` replaces Lambda's list of authorities; undefined leaves the setting of the template as it is. */
export function localEnvironment(
  stack: DeployedStack,
  job: JobName,
  endpoints: Endpoints,
  tls: { caFile: string | undefined; unsafe: 'disable' | 'no-verify' | undefined },
): Record<string, string> {
  const environment: Record<string, string> = { ...stack.functions[job].environment };
  const clients = findClientDirectories().map(({ directory }) => directory);
  for (const [name, value] of Object.entries(environment)) {
    if (value === LAMBDA_CA_FILE && tls.caFile !== undefined) environment[name] = tls.caFile;
    if (value === LAMBDA_LAYER) environment[name] = clients.join(':');
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
    TZ: ':UTC',
  };
}
