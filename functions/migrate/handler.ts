// Lambda entry of migrate: applies, reverts or lists the files of sql/migrations. Invoked by hand or by its workflow, never scheduled.
import { jobHandler } from '../shared/job-handler.ts';
import { migrateEventSchema } from './contract.ts';
import { migrateSettings } from './environment.ts';
import { runInFunction } from './run-in-function.ts';

export const handler = jobHandler({
  job: 'migrate',
  settings: migrateSettings,
  event: migrateEventSchema,
  run: runInFunction,
});
