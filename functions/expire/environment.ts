// The settings of expire: the contract between infra and this function.
import { backupStoreSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, type Setting, text, withFallback } from '../shared/read-environment.ts';
import { type KeepPolicy, MOST_KEPT, parseKeepPolicy } from './keep-policy.ts';

const keepPolicy: Setting<KeepPolicy, true> = {
  required: true,
  summary:
    'Which of the verified backups are kept, in the words of restic: "within" a duration of the newest, the "last" ones, and the newest of each hour, day, ISO week, month or year. A backup that one rule keeps is kept.',
  example: 'within=30d,monthly=12',
  allowed: `rules parted by ",": within=<duration as 1y6m7d12h>, and last, hourly, daily, weekly, monthly or yearly=<1 to ${MOST_KEPT}>; at least one`,
  parse: parseKeepPolicy,
};

const timeZone = text({
  summary: 'The time zone in which hours, days, weeks, months and years begin.',
  example: 'Europe/Berlin',
  allowed: 'an IANA time zone',
});

export const expireSettings = {
  DATABASE_NAME: databaseSettings.DATABASE_NAME,
  ...backupStoreSettings,
  KEEP_POLICY: keepPolicy,
  TIME_ZONE: { ...timeZone, parse: (name: string) => (isTimeZone(name) ? name : undefined) },
  KEEP_AT_LEAST: integer({
    summary: 'So many of the newest verified backups stay, whatever the rules say.',
    example: '7',
    min: 1,
    max: 1_000,
  }),
  KEEP_UNVERIFIED_DAYS: integer({
    summary:
      'How long a backup stays that is not verified or is broken. Longer, if there is no newer verified one to stand in for it.',
    example: '7',
    min: 1,
    max: 3_650,
  }),
  MAX_DELETE_PERCENT: withFallback(
    integer({
      summary: 'A plan that deletes more of the verified backups than this at once is refused.',
      example: '50',
      min: 1,
      max: 100,
    }),
    50,
  ),
} as const;

export type ExpireEnvironment = EnvironmentVariables<typeof expireSettings>;

function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
