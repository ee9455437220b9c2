// The states that verify a backup after it was made. A failure of theirs fails the workflow; the backup stays.
import { type InvokedFunction, lambdaTask, retries, type State } from './lambda-task.ts';

const STEP = { job: 'verify', 'executionId.$': '$.executionId' };
const OF_VERIFICATION = {
  'backupId.$': '$.verification.backupId',
  'verificationId.$': '$.verification.verificationId',
};

/** From `VerifyPlan`, which reads the id of the backup at `$.made.backupId`, to `Done`. */
export function verifyStates(verify: InvokedFunction): Record<string, State> {
  return {
    VerifyPlan: lambdaTask(verify, {
      payload: { ...STEP, step: 'plan', 'backupId.$': '$.made.backupId' },
      retry: retries.unanswered,
      keep: ['mode', 'backupId', 'verificationId', 'groups', 'concurrency'],
      at: '$.verification',
      go: { Next: 'ChooseVerification' },
    }),
    ChooseVerification: {
      Type: 'Choice',
      Choices: [
        { Variable: '$.verification.mode', StringEquals: 'inline', Next: 'VerifyInline' },
        { Variable: '$.verification.mode', StringEquals: 'distributed', Next: 'ReadGroups' },
        { Variable: '$.verification.mode', StringEquals: 'verified', Next: 'Done' },
      ],
    },
    // It only reads, and with the id that plan has given a second start leaves no second evidence.
    VerifyInline: lambdaTask(verify, {
      payload: { ...STEP, ...OF_VERIFICATION },
      retry: retries.unanswered,
      go: { Next: 'Done' },
    }),
    ReadGroups: {
      Type: 'Map',
      Label: 'ReadGroups',
      ItemsPath: '$.verification.groups',
      MaxConcurrencyPath: '$.verification.concurrency',
      ItemSelector: { 'executionId.$': '$.executionId', ...OF_VERIFICATION, 'group.$': '$$.Map.Item.Value' },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Read',
        States: {
          Read: lambdaTask(verify, {
            payload: {
              ...STEP,
              step: 'read',
              'backupId.$': '$.backupId',
              'verificationId.$': '$.verificationId',
              'group.$': '$.group',
            },
            retry: retries.any,
            go: { Next: 'WasRead' },
          }),
          WasRead: { Type: 'Succeed', OutputPath: null },
        },
      },
      ResultPath: null,
      Next: 'VerifyFinish',
    },
    VerifyFinish: lambdaTask(verify, {
      payload: { ...STEP, step: 'finish', ...OF_VERIFICATION },
      retry: retries.unanswered,
      go: { Next: 'Done' },
    }),
    Done: { Type: 'Succeed', OutputPath: '$.made' },
  };
}
