// The variables of the function as the plan takes them.
import type { SettingValues } from '../shared/read-environment.ts';
import type { expireSettings } from './environment.ts';
import type { ExpirySettings } from './plan-expiry.ts';

/** Policy and limits; the same for the function and for whoever shows a plan beforehand. */
export function expirySettingsOf(settings: SettingValues<typeof expireSettings>): ExpirySettings {
  return {
    keep: settings.KEEP_POLICY,
    timeZone: settings.TIME_ZONE,
    keepAtLeast: settings.KEEP_AT_LEAST,
    keepUnverifiedDays: settings.KEEP_UNVERIFIED_DAYS,
    maxDeletePercent: settings.MAX_DELETE_PERCENT,
  };
}
