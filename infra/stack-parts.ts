// What every function of a stack is connected to; nightshift-stack.ts makes it, the <job>-function.ts files use it.
import type { ILayerVersion } from 'aws-cdk-lib/aws-lambda';
import type { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Alarms } from './alarms.ts';
import type { BackupStore } from './backup-store.ts';
import type { DatabaseConfig } from './config.ts';
import type { DatabaseAccess } from './database-access.ts';
import type { EventQueues } from './event-queues.ts';

export interface StackParts {
  config: DatabaseConfig;
  store: BackupStore;
  access: DatabaseAccess;
  alarms: Alarms;
  queues: EventQueues;
  scheduleGroup: ScheduleGroup;
  /** pg_dump, pg_dumpall and pg_restore; undefined when none is configured. */
  clientLayer: ILayerVersion | undefined;
  /** Schedules are made disabled, and the alarms on silence (NotRunning) and ages tell nobody. */
  paused: boolean;
}
