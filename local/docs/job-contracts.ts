// Every job's settings, event and answer in one place, for the pages that are generated from them.
import type { ZodType } from 'zod';
import { backupEvent, backupResult } from '../../functions/backup/contract.ts';
import { backupSettings } from '../../functions/backup/environment.ts';
import { bootstrapEventSchema, bootstrapResultSchema } from '../../functions/bootstrap/contract.ts';
import { bootstrapSettings } from '../../functions/bootstrap/environment.ts';
import { expireEvent, expireResult } from '../../functions/expire/contract.ts';
import { expireSettings } from '../../functions/expire/environment.ts';
import { healthEvent, healthResult } from '../../functions/health/contract.ts';
import { healthSettings } from '../../functions/health/environment.ts';
import { migrateEventSchema, migrateResultSchema } from '../../functions/migrate/contract.ts';
import { migrateAtDeploySettings } from '../../functions/migrate/environment.ts';
import { purgeEvent, purgeResult } from '../../functions/purge/contract.ts';
import { purgeSettings } from '../../functions/purge/environment.ts';
import { reportEvent, reportResult } from '../../functions/report/contract.ts';
import { reportSettings } from '../../functions/report/environment.ts';
import { restoreDrillEvent, restoreDrillResult } from '../../functions/restore-drill/contract.ts';
import { restoreDrillSettings } from '../../functions/restore-drill/environment.ts';
import type { JobName } from '../../functions/shared/jobs.ts';
import type { Settings } from '../../functions/shared/read-environment.ts';
import { verifyEvent, verifyResult } from '../../functions/verify/contract.ts';
import { verifySettings } from '../../functions/verify/environment.ts';

interface JobContract {
  settings: Settings;
  event: ZodType;
  result: ZodType;
  /** An event that a person would send by hand. */
  example: Readonly<Record<string, unknown>>;
}

const requestedBy = 'ana@example.com';

export const jobContracts: Readonly<Record<JobName, JobContract>> = {
  bootstrap: {
    settings: bootstrapSettings,
    event: bootstrapEventSchema,
    result: bootstrapResultSchema,
    example: { job: 'bootstrap', requestedBy },
  },
  migrate: {
    settings: migrateAtDeploySettings,
    event: migrateEventSchema,
    result: migrateResultSchema,
    example: { job: 'migrate', action: 'up', requestedBy },
  },
  backup: { settings: backupSettings, event: backupEvent, result: backupResult, example: { job: 'backup' } },
  verify: { settings: verifySettings, event: verifyEvent, result: verifyResult, example: { job: 'verify' } },
  'restore-drill': {
    settings: restoreDrillSettings,
    event: restoreDrillEvent,
    result: restoreDrillResult,
    example: { job: 'restore-drill' },
  },
  purge: {
    settings: purgeSettings,
    event: purgeEvent,
    result: purgeResult,
    example: { job: 'purge', dryRun: true, requestedBy },
  },
  expire: {
    settings: expireSettings,
    event: expireEvent,
    result: expireResult,
    example: { job: 'expire', dryRun: true, requestedBy },
  },
  health: {
    settings: healthSettings,
    event: healthEvent,
    result: healthResult,
    example: { job: 'health', tier: 'daily' },
  },
  report: { settings: reportSettings, event: reportEvent, result: reportResult, example: { job: 'report' } },
};
