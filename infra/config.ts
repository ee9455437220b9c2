// The schema of nightshift.config.ts: what a user may configure, in which unit and range.
// Whatever deletes something or chooses a target has no default; load-config.ts reads a file with it.
import { z } from 'zod';
import { restoreDrillSettings } from '../functions/restore-drill/environment.ts';
import { alarmsSection, replicaSection } from './alarms-config.ts';
import { backupStoreSchema } from './backup-store-config.ts';
import { arnOfKey, arnOfSecret, listOf, matching, portNumber, securityGroupId, wholeNumber } from './config-fields.ts';
import { instanceId } from './drill-config.ts';
import { jobConfigShape } from './job-config.ts';
import { schedulesSchema } from './schedule-config.ts';

/** Retention periods that CloudWatch Logs knows (API reference of PutRetentionPolicy). */
const LOG_RETENTION_DAYS = [30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

export const databaseConfigSchema = z.strictObject(
  {
    name: matching(
      /^[a-z][a-z0-9-]{0,31}$/,
      'must be 1 to 32 lower-case letters, digits and "-", starting with a letter',
    ).describe(
      "Names the stack, the functions, every S3 key and every metric. 32, because a function's name may have 64.",
    ),
    server: z.strictObject(
      {
        host: matching(/^[A-Za-z0-9.-]{1,253}$/, 'must be the host name of the writer').describe(
          'The writer: the instance, or the cluster endpoint of Aurora.',
        ),
        port: portNumber.describe('Port of the server.'),
        dbname: matching(/^.{1,63}$/, 'must be the name of a database, 1 to 63 characters').describe(
          'The database to look after.',
        ),
        instanceId: instanceId.optional().describe(restoreDrillSettings.DATABASE_INSTANCE_ID.summary),
      },
      'must be { host, port, dbname }',
    ),
    adminSecretArn: arnOfSecret.describe(
      "The administrator's secret; only bootstrap may read it. It also says to which account and region the stack goes.",
    ),
    adminSecretKeyArn: arnOfKey
      .optional()
      .describe('Only when that secret is encrypted with a key of your own instead of aws/secretsmanager.'),
    vpc: z.strictObject(
      {
        vpcId: matching(/^vpc-[0-9a-f]{8,17}$/, 'must be the id of a VPC').describe('The VPC of the database.'),
        availabilityZones: listOf(
          matching(/^[a-z0-9-]+[a-z]$/, 'must be the name of an availability zone'),
          1,
          'must be the availability zones of the subnets, in the same order',
        ).describe('Those of the subnets, in the same order.'),
        privateSubnetIds: listOf(
          matching(/^subnet-[0-9a-f]{8,17}$/, 'must be the id of a subnet'),
          1,
          'must be at least one private subnet',
        ).describe('They need a way to S3 and Secrets Manager: a NAT gateway or VPC endpoints.'),
        databaseSecurityGroupId: securityGroupId('the database').describe(
          'A rule that lets the functions in is added to it.',
        ),
      },
      'must be { vpcId, availabilityZones, privateSubnetIds, databaseSecurityGroupId }',
    ),
    connectionBudget: wholeNumber(1, 5_000, 'connections').describe(
      'The most connections that all jobs together may open; more than that is refused at synth.',
    ),
    schedules: schedulesSchema,
    ...jobConfigShape,
    backupStore: backupStoreSchema,
    alarms: alarmsSection,
    replica: replicaSection.describe('Copies of the backups in another region or account; left out: none.'),
    logRetentionDays: z
      .literal(LOG_RETENTION_DAYS, `must be one of ${LOG_RETENTION_DAYS.join(', ')}`)
      .default(400)
      .describe('How long CloudWatch keeps the logs, in days.'),
    tracing: z.boolean('must be true or false').default(false).describe('AWS X-Ray for every function.'),
    tags: z
      .record(z.string(), z.string('must be a text'), 'must be { name: value }')
      .default({})
      .describe('Tags of everything in the stack.'),
    pausedUntil: z.iso
      .date('must be a date as "2026-12-31"')
      .optional()
      .describe(
        'Until this date (UTC) no schedule starts and no alarm on silence or age reports. It ends at the next deploy after it.',
      ),
    unsafeDatabaseTls: z
      .enum(['disable', 'no-verify'], 'must be "disable" or "no-verify"')
      .optional()
      .describe('Lowers TLS to the database. Leave it out for verify-full.'),
  },
  'must be an object with the settings of one database',
);

/** One database as it is written in nightshift.config.ts. */
export type DatabaseSettings = z.input<typeof databaseConfigSchema>;
/** One database with all defaults filled in. */
export type DatabaseConfig = z.output<typeof databaseConfigSchema>;

/** What nightshift.config.ts exports as `config`. */
export interface NightshiftConfig {
  databases: DatabaseSettings[];
}

/** The region and account in which the administrator's secret lies, and to which the stack is deployed. */
export function placeOfDatabase(database: Pick<DatabaseConfig, 'adminSecretArn'>): { region: string; account: string } {
  const [, , , region = '', account = ''] = database.adminSecretArn.split(':');
  return { region, account };
}

/** Whether its schedules stand still now. */
export function isPaused({ pausedUntil }: Pick<DatabaseConfig, 'pausedUntil'>, now: Date): boolean {
  return pausedUntil !== undefined && now < new Date(pausedUntil);
}
