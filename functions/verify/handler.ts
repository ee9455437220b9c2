// Lambda entry of the verify job: the whole verification, or one step of the workflow.
import { jobHandler } from '../shared/job-handler.ts';
import { verifyEvent } from './contract.ts';
import { verifySettings } from './environment.ts';
import { runVerify } from './run-verify.ts';

export const handler = jobHandler({
  job: 'verify',
  settings: verifySettings,
  event: verifyEvent,
  // finish ends the verification and leaves the job's record.
  isStep: ({ step }) => step === 'plan' || step === 'read',
  run: runVerify,
});
