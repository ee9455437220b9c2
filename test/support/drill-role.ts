// A drill role of its own for one test file: CREATEDB and nothing else, as bootstrap makes it.
import { randomBytes } from 'node:crypto';
import type { RestoreDrillResult } from '../../functions/restore-drill/contract.ts';
import type { RestoreDrillJob } from '../../functions/restore-drill/run-restore-drill.ts';
import { runInline } from '../../functions/restore-drill/steps/run-inline.ts';
import type { BackupSource } from './backup-source.ts';
import { recordedContext } from './job-context.ts';
import { BUCKET, type LocalAws } from './local-aws.ts';

export interface DrillRole {
  readonly role: string;
  readonly password: string;
  readonly settings: RestoreDrillJob['settings'];
  /** The job with that event, for a step of the workflow. */
  job(more?: Partial<RestoreDrillJob>, event?: Partial<RestoreDrillJob['event']>): RestoreDrillJob;
  /** A whole drill in one run. */
  drill(more?: Partial<RestoreDrillJob>, event?: Partial<RestoreDrillJob['event']>): Promise<RestoreDrillResult>;
  /** Scratch databases of this role that are there now. */
  scratchDatabases(): Promise<string[]>;
  drop(): Promise<void>;
}

export async function createDrillRole(aws: LocalAws, source: BackupSource): Promise<DrillRole> {
  const role = `drill_${randomBytes(5).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  const secretArn = `arn:aws:secretsmanager:us-east-1:000000000000:secret:${role}-abcdef`;
  await source.fresh.query(`create role "${role}" login createdb password '${password}'`);
  const { host, port } = source.fresh.credentials();
  aws.secrets.setSecret(secretArn, JSON.stringify({ host, port, dbname: 'postgres', username: role, password }));
  const settings: RestoreDrillJob['settings'] = {
    DATABASE_NAME: 'shop',
    DATABASE_SECRET_ARN: secretArn,
    DATABASE_CA_FILE: source.fresh.tls.caFile,
    UNSAFE_DATABASE_TLS: undefined,
    LOCK_TIMEOUT_MS: 5_000,
    STATEMENT_TIMEOUT_MS: 60_000,
    MAX_CONNECTIONS: 4,
    BACKUP_BUCKET: BUCKET,
    POSTGRES_CLIENT_DIRECTORIES: source.clients,
    OLDER_EVERY_DAYS: 7,
    DATABASE_INSTANCE_ID: undefined,
    DRILL_TARGET_HOST: undefined,
    DRILL_TARGET_PORT: undefined,
    DRILL_TARGET_SECRET_ARN: undefined,
    DRILL_TARGET_INSTANCE_ID: undefined,
  };
  const job: DrillRole['job'] = (more = {}, event = {}) => ({
    ...recordedContext(),
    settings,
    event: { job: 'restore-drill', ...event },
    ...more,
  });
  return {
    role,
    password,
    settings,
    job,
    drill: async (more, event) => await runInline(job(more, event)),
    scratchDatabases: async () => {
      const { rows } = await source.fresh.query<{ datname: string }>(
        'select datname from pg_database where datdba = (select oid from pg_roles where rolname = $1) order by 1',
        [role],
      );
      return rows.map(({ datname }) => datname);
    },
    drop: async () => {
      await source.fresh.query(`drop role "${role}"`);
    },
  };
}
