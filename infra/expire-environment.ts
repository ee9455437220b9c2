// The environment of expire. Apart from the function, because local/expire.ts shows the plan of the same one without the CDK.
import type { ExpireEnvironment } from '../functions/expire/environment.ts';
import type { DatabaseConfig } from './config.ts';
import { keepPolicyText } from './expiry-config.ts';

/** The variables of the function, from the config of its database. */
export function expireEnvironment(
  { name, expire, schedules }: Pick<DatabaseConfig, 'name' | 'expire' | 'schedules'>,
  bucket: string,
): ExpireEnvironment {
  return {
    DATABASE_NAME: name,
    BACKUP_BUCKET: bucket,
    KEEP_POLICY: keepPolicyText(expire.keep),
    TIME_ZONE: schedules.timeZone,
    KEEP_AT_LEAST: String(expire.keepAtLeast),
    KEEP_UNVERIFIED_DAYS: String(expire.keepUnverifiedDays),
    MAX_DELETE_PERCENT: String(expire.maxDeletePercent),
  };
}
