// The environment that the deployed expire function of a database has, from nightshift.config.ts: the same plan as there.

import { placeOfDatabase } from '../../infra/config.ts';
import { expireEnvironment } from '../../infra/expire-environment.ts';
import { loadConfig } from '../../infra/load-config.ts';
import { LocalRunError } from '../local-run-error.ts';

/** Its variables and its region; throws LocalRunError when the config is wrong or has no such database. */
export async function configuredEnvironment(
  path: string,
  database: string,
  bucket: string,
  now: Date,
): Promise<{ environment: Record<string, string | undefined>; region: string }> {
  const { databases, problems } = await loadConfig(path, now);
  if (problems)
    throw new LocalRunError(
      `${path} is wrong:\n${problems.join('\n')}\nS3 was not asked`,
      'mend it; npx cdk synth says the same',
    );
  const config = databases.find(({ name }) => name === database);
  if (!config) {
    const names = databases.map(({ name }) => `"${name}"`).join(', ');
    throw new LocalRunError(
      `${path} has no database "${database}"; it has ${names}. S3 was not asked`,
      'give its name as --database',
    );
  }
  return { environment: { ...expireEnvironment(config, bucket) }, region: placeOfDatabase(config).region };
}
