// The schema of the section restoreDrill in nightshift.config.ts, and what its target must not be.
import { z } from 'zod';
import { INSTANCE_ID, restoreDrillSettings } from '../functions/restore-drill/environment.ts';
import {
  arnOfKey,
  arnOfSecret,
  matching,
  portNumber,
  securityGroupId,
  variable,
  wholeNumber,
} from './config-fields.ts';
import { functionSettings, sessionSettings } from './function-config.ts';

/** An RDS instance by its identifier. */
export const instanceId = matching(INSTANCE_ID.pattern, `must be ${INSTANCE_ID.allowed}`);

const target = z
  .strictObject(
    {
      host: matching(/^[A-Za-z0-9.-]{1,253}$/, 'must be the host name of the server to restore into').describe(
        'Never the server that is backed up: for that, leave the target out.',
      ),
      port: portNumber.describe('Port of that server.'),
      secretArn: arnOfSecret.describe(
        "The secret of that server's administrator, in the region of the stack; only restore-drill may read it.",
      ),
      secretKeyArn: arnOfKey
        .optional()
        .describe('Only when that secret is encrypted with a key of your own instead of aws/secretsmanager.'),
      securityGroupId: securityGroupId('that server').describe('A rule that lets the functions in is added to it.'),
      instanceId: instanceId.optional().describe(restoreDrillSettings.DRILL_TARGET_INSTANCE_ID.summary),
    },
    'must be { host, port, secretArn, securityGroupId }',
  )
  .optional()
  .describe(restoreDrillSettings.DRILL_TARGET_HOST.summary);

export const drillSection = z
  .strictObject(
    {
      ...functionSettings({ timeoutSeconds: 900, memoryMiB: 2048 }),
      ...sessionSettings(restoreDrillSettings),
      maxConnections: variable(restoreDrillSettings.MAX_CONNECTIONS)
        .default(4)
        .describe(restoreDrillSettings.MAX_CONNECTIONS.summary),
      longestHours: wholeNumber(1, 72, 'hours')
        .default(12)
        .describe('After this long a drill with all its passes is over, and its scratch databases are dropped.'),
      olderEveryDays: variable(restoreDrillSettings.OLDER_EVERY_DAYS)
        .default(7)
        .describe(restoreDrillSettings.OLDER_EVERY_DAYS.summary),
      target,
    },
    'must be the settings of restore-drill',
  )
  .prefault({});

/** What speaks against a target, as path below restoreDrill.target and words; empty for none. */
export function targetProblems(
  { host, secretArn }: Pick<NonNullable<z.output<typeof target>>, 'host' | 'secretArn'>,
  source: { host: string | undefined; adminSecretArn: string | undefined; region: string | undefined },
): string[] {
  const problems: string[] = [];
  if (host.toLowerCase() === source.host?.toLowerCase())
    problems.push(`host: is "${host}"; must differ from server.host: to drill on that server, leave the target out`);
  if (secretArn === source.adminSecretArn)
    problems.push(`secretArn: is "${secretArn}"; must differ from adminSecretArn, which only bootstrap may read`);
  if (source.region !== undefined && secretArn.split(':')[3] !== source.region)
    problems.push(`secretArn: is "${secretArn}"; must lie in ${source.region}, the region of adminSecretArn`);
  return problems;
}
