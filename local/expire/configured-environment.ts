// The environment that the deployed expire function of a database has, from nightshift.config.ts: the same plan as there.

import { placeOfDatabase } from '../../infra/config.ts';
import { expireEnvironment } from '../../infra/expire-environment.ts';
import { configuredDatabase } from '../configured-database.ts';

/** Its variables and its region; throws LocalRunError when the config is wrong or has no such database. */
export async function configuredEnvironment(
  path: string,
  database: string,
  bucket: string,
  now: Date,
): Promise<{ environment: Record<string, string | undefined>; region: string }> {
  const config = await configuredDatabase(path, database, { now, notDone: 'S3 was not asked' });
  return { environment: { ...expireEnvironment(config, bucket) }, region: placeOfDatabase(config).region };
}
