// The server that a drill restores into: the one that is backed up, as the drill's own role, or a target of its own.
import { loginCredentials, secretCredentials } from '../shared/credentials.ts';
import { createDatabase, type Database, limitsOf, tlsOf } from '../shared/database.ts';
import type { DrillRecord } from '../shared/drill-record.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { RestoreDrillJob } from './run-restore-drill.ts';

export interface DrillServer {
  kind: DrillRecord['target']['kind'];
  /** Of the RDS instance, and the name of its setting; undefined when it is not set, as for Aurora. */
  instanceId: string | undefined;
  instanceSetting: 'DATABASE_INSTANCE_ID' | 'DRILL_TARGET_INSTANCE_ID';
  /** For what is done outside of scratch databases; not limited by the time of a pass, so that it can clean up. */
  database: Database;
  /** Sessions in a scratch database; all of them end when `signal` aborts. */
  openScratch(name: string, signal: AbortSignal): Database;
}

/** Opens nothing yet; the caller closes `database` and every scratch. */
export function drillServer({ settings }: Pick<RestoreDrillJob, 'settings'>): DrillServer {
  const target = targetOf(settings);
  const options = {
    job: 'restore-drill' as const,
    credentials:
      target === undefined
        ? secretCredentials(settings.DATABASE_SECRET_ARN)
        : loginCredentials(target.secretArn, { host: target.host, port: target.port, dbname: 'postgres' }),
    tls: tlsOf(settings),
    // Creating and dropping a database, and building an index, take as long as they take.
    limits: { ...limitsOf(settings), statementTimeoutMs: 0 },
    maxConnections: settings.MAX_CONNECTIONS,
    rowSecurity: 'off' as const,
  };
  return {
    ...(target === undefined
      ? {
          kind: 'same server',
          instanceId: settings.DATABASE_INSTANCE_ID,
          instanceSetting: 'DATABASE_INSTANCE_ID',
        }
      : {
          kind: 'drill target',
          instanceId: settings.DRILL_TARGET_INSTANCE_ID,
          instanceSetting: 'DRILL_TARGET_INSTANCE_ID',
        }),
    database: createDatabase(options),
    openScratch: (dbname, signal) =>
      createDatabase({ ...options, limits: { ...options.limits, lockTimeoutMs: 0 }, dbname, signal }),
  };
}

function targetOf(
  settings: RestoreDrillJob['settings'],
): { host: string; port: number; secretArn: string } | undefined {
  const { DRILL_TARGET_HOST: host, DRILL_TARGET_PORT: port, DRILL_TARGET_SECRET_ARN: secretArn } = settings;
  const all = [host, port, secretArn, settings.DRILL_TARGET_INSTANCE_ID];
  if (all.every((one) => one === undefined)) return undefined;
  if (host !== undefined && port !== undefined && secretArn !== undefined) return { host, port, secretArn };
  const missing = Object.entries({
    DRILL_TARGET_HOST: host,
    DRILL_TARGET_PORT: port,
    DRILL_TARGET_SECRET_ARN: secretArn,
  }).filter(([, value]) => value === undefined);
  throw new JobFailure({
    code: 'settings.wrong',
    problem: `restore-drill cannot start: ${missing.map(([name]) => name).join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set, but the others of the drill target are`,
    safeState: 'Nothing was read or written',
    hint: 'set all three, or none of them to restore on the server that is backed up',
  });
}
