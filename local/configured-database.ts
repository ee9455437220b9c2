// One database of nightshift.config.ts, checked as synth checks it, for the commands that work on what is deployed.
import type { DatabaseConfig } from '../infra/config.ts';
import { loadConfig } from '../infra/load-config.ts';
import { LocalRunError } from './local-run-error.ts';

/** Its settings; throws LocalRunError, ending with `notDone`, when the config is wrong or has no such database. */
export async function configuredDatabase(
  path: string,
  database: string,
  { now, notDone }: { now: Date; notDone: string },
): Promise<DatabaseConfig> {
  const { databases, problems } = await loadConfig(path, now);
  if (problems)
    throw new LocalRunError(
      `${path} is wrong:\n${problems.join('\n')}\n${notDone}`,
      'mend it; npx cdk synth says the same',
    );
  const config = databases.find(({ name }) => name === database);
  if (config) return config;
  const names = databases.map(({ name }) => `"${name}"`).join(', ');
  throw new LocalRunError(
    `${path} has no database "${database}"; it has ${names}. ${notDone}`,
    'give its name as --database',
  );
}
