// Lambda entry of migrate at a deployment: a trigger of CloudFormation invokes it, which has no event to give. It does one
// thing only, `up` to the newest file; whatever else is asked of it is refused.
import * as z from 'zod';
import { jobHandler } from '../shared/job-handler.ts';
import { migrateAtDeploySettings } from './environment.ts';
import { runInFunction } from './run-in-function.ts';

export const handler = jobHandler({
  job: 'migrate',
  settings: migrateAtDeploySettings,
  // An invocation without a payload arrives as {} or null.
  event: z.preprocess((event) => event ?? {}, z.strictObject({})),
  run: async (job) =>
    await runInFunction({
      ...job,
      event: { job: 'migrate', action: 'up', requestedBy: `deploy of ${job.settings.STACK_NAME}` },
    }),
});
