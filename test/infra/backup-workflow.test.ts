// The state machine of the backup as it is synthesized: valid, within what runs locally, and safe when something fails.

import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { backupEvent } from '../../functions/backup/contract.ts';
import { processEnvironment } from '../../infra/process-environment.ts';
import { checkDefinition } from '../../local/workflow/check-definition.ts';
import { readWorkflows } from '../../local/workflow/read-workflow.ts';
import { walkStates } from '../../local/workflow/walk-states.ts';
import { now, ordersDatabase, propertiesOf, sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const LAMBDA_ERRORS = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];

function templateWith(backup: object) {
  return templateOf(synthesize([sampleDatabase({ backup })]), 'sample');
}

function walked(backup: object) {
  const { definition } = readWorkflows(templateWith(backup).toJSON()['Resources']).backup;
  return { definition, states: walkStates(definition.States) };
}

/** A field of a state, whatever its type. */
function field(state: object | undefined, name: string): unknown {
  return state === undefined ? undefined : Reflect.get(state, name);
}

const retrySchema = z.array(z.looseObject({ ErrorEquals: z.array(z.string()), MaxAttempts: z.number() }));

describe.each(['server', 'relay'] as const)('the workflow with snapshotHolder %s', (snapshotHolder) => {
  const { definition, states } = walked({ snapshotHolder });
  const stateOf = (name: string) => states.find((one) => one.name === name)?.state;
  const retriesOf = (name: string) => retrySchema.parse(field(stateOf(name), 'Retry'));
  const tasks = states.filter(({ state }) => state.Type === 'Task');

  test('the definition: the validator takes it, and it uses nothing that the local run would pass over', () => {
    expect(checkDefinition(definition)).toBe(definition);
    expect(JSON.stringify(definition)).not.toMatch(
      /JSONata|ItemReader|ItemBatcher|ResultWriter|ToleratedFailure|Heartbeat/,
    );
  });

  test('every task: it invokes backup or verify, and waits a minute longer than the function may work', () => {
    expect(tasks.length).toBeGreaterThan(8);
    for (const { name, state } of tasks) {
      const invoked = JSON.stringify(field(state, 'Parameters'));
      expect(invoked).toContain(`:function:nightshift-sample-${/^(Verify|Read)/.test(name) ? 'verify' : 'backup'}"`);
      expect(field(state, 'TimeoutSeconds')).toBe(960);
    }
  });

  test('every task: it is tried again when Lambda itself could not take or answer the call', () => {
    for (const { name } of tasks)
      expect(retriesOf(name)[0]).toMatchObject({ ErrorEquals: LAMBDA_ERRORS, MaxAttempts: 5 });
  });

  test('other errors: copy and read are tried twice more after any; plan, the inline backup and the holders never', () => {
    const moreThanService = tasks.filter(({ name }) => retriesOf(name).length > 1).map(({ name }) => name);
    const afterAny = moreThanService.filter((name) => retriesOf(name)[1]?.ErrorEquals.includes('States.ALL'));

    expect(afterAny.toSorted()).toEqual(['Copy', 'Read']);
    for (const name of moreThanService) expect(retriesOf(name)[1]?.MaxAttempts).toBe(2);
    expect(moreThanService).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(Plan|Inline|Hold.*)$/)]));
  });

  test('copying and finishing: whatever fails in them is aborted, and the verification is not', () => {
    const caught = states
      .filter(({ state }) => 'Catch' in state)
      .map(({ name, state }) => [name, field(state, 'Catch')] as const);

    expect(caught.map(([name]) => name)).toEqual(
      snapshotHolder === 'server' ? ['Plan', 'Distributed', 'Finish'] : ['Plan', 'Distributed'],
    );
    for (const [, catches] of caught)
      expect(catches).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'TellCause' }]);
    expect(field(stateOf('Abort'), 'Next')).toBe('BackupFailed');
    expect(stateOf('BackupFailed')?.Type).toBe('Fail');
  });

  test('the maps: group numbers out of the state, as many at once as planned, results dropped, children of their own', () => {
    const maps = states.filter(({ state }) => state.Type === 'Map').map(({ state }) => state);

    expect(maps).toHaveLength(2);
    expect(maps).toEqual(
      ['plan', 'verification'].map((plan) =>
        expect.objectContaining({
          ItemsPath: `$.${plan}.groups`,
          MaxConcurrencyPath: `$.${plan}.concurrency`,
          ResultPath: null,
          ItemProcessor: expect.objectContaining({
            ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          }),
        }),
      ),
    );
    // In AWS a child has an execution id of its own.
    for (const map of maps) expect(JSON.stringify(field(map, 'ItemProcessor'))).not.toContain('$$.');
    // 1,000 answers must fit into 262,144 bytes.
    for (const name of ['Copied', 'WasRead'])
      expect(stateOf(name)).toMatchObject({ Type: 'Succeed', OutputPath: null });
  });

  test('the events of the steps: the schema of backup takes each', () => {
    const events = tasks
      .filter(({ name }) => !/^(Verify|Read|Plan$|Inline$)/.test(name))
      .map(({ name, state }) => [name, filledIn(Reflect.get(Object(field(state, 'Parameters')), 'Payload'))] as const);

    expect(events.length).toBeGreaterThan(3);
    for (const [name, event] of events) expect([name, backupEvent.safeParse(event).error]).toEqual([name, undefined]);
  });
});

/** A payload template with a value of the right type in place of each path. */
function filledIn(template: unknown): unknown {
  const numbers = ['group', 'pass'];
  return Object.fromEntries(
    Object.entries(Object(template)).map(([key, value]) => {
      const name = key.replace('.$', '');
      if (key === name) return [key, value];
      return [name, numbers.includes(name) ? 1 : name === 'backupId' ? '20261122T020000Z' : 'text'];
    }),
  );
}

describe('a relay', () => {
  const { states } = walked({ snapshotHolder: 'relay', relayShiftSeconds: 301 });
  const stateOf = (name: string) => states.find((one) => one.name === name)?.state;

  test('two holders beside the copying: the second one begins half a shift later', () => {
    const branches = field(stateOf('Distributed'), 'Branches');

    expect(branches).toEqual([
      expect.objectContaining({ StartAt: 'AwaitPlan' }),
      expect.objectContaining({ StartAt: 'HoldFirst' }),
      expect.objectContaining({ StartAt: 'WaitHalfShift' }),
    ]);
    expect(stateOf('WaitHalfShift')).toMatchObject({ Seconds: 151, Next: 'HoldSecond' });
  });

  test('a holder that has not ended the backup: it is started again', () => {
    for (const name of ['First', 'Second']) {
      expect(stateOf(`Is${name}Done`)).toMatchObject({
        Choices: [{ Variable: '$.hold.done', BooleanEquals: true, Next: `${name}Done` }],
        Default: `Hold${name}`,
      });
    }
  });

  test('with the server as holder: there is no holder and no branch', () => {
    expect(JSON.stringify(walked({ snapshotHolder: 'server' }).definition)).not.toMatch(/Hold|Parallel/);
  });
});

describe('the state machine', () => {
  const [sample] = propertiesOf(templateWith({ snapshotLifeSeconds: 7_200 }), 'AWS::StepFunctions::StateMachine');

  test('its life: that of the snapshot and an hour', () => {
    const { definition } = walked({ snapshotLifeSeconds: 7_200 });

    expect(definition.TimeoutSeconds).toBe(10_800);
  });

  test('its log: errors only, without data of the execution, in a group of its own that ends', () => {
    expect(sample?.LoggingConfiguration).toMatchObject({ Level: 'ERROR', IncludeExecutionData: false });
    expect(propertiesOf(templateWith({}), 'AWS::Logs::LogGroup')).toContainEqual(
      expect.objectContaining({
        LogGroupName: '/aws/vendedlogs/states/nightshift-sample-backup',
        RetentionInDays: 400,
      }),
    );
  });

  test('tracing: as the config says', () => {
    const orders = templateOf(synthesize([ordersDatabase()]), 'orders');

    expect(sample?.TracingConfiguration).toEqual({ Enabled: false });
    expect(propertiesOf(orders, 'AWS::StepFunctions::StateMachine')[0]?.TracingConfiguration).toEqual({
      Enabled: true,
    });
  });

  test('the nightly schedule: it starts the workflow and not the function, with an event that the backup takes', () => {
    const template = templateWith({});
    const machine = Object.keys(template.findResources('AWS::StepFunctions::StateMachine')).find((id) =>
      id.startsWith('BackupWorkflow'),
    );
    const schedules = propertiesOf(template, 'AWS::Scheduler::Schedule').filter(({ Name }) => Name === 'backup');
    const input = schedules[0]?.Target.Input.replace('<aws.scheduler.scheduled-time>', now.toISOString());

    expect(schedules).toHaveLength(1);
    expect(schedules[0]?.Target.Arn).toEqual({ Ref: machine });
    expect(backupEvent.safeParse(JSON.parse(input)).error).toBeUndefined();
  });
});

describe('the settings of backup and verify', () => {
  const variablesOf = (settings: object, job: string) =>
    propertiesOf(templateOf(synthesize([sampleDatabase(settings)]), 'sample'), 'AWS::Lambda::Function').find(
      ({ FunctionName }) => FunctionName === `nightshift-sample-${job}`,
    )?.Environment.Variables;

  test('what the config says of the backup: it arrives, lists as JSON, and with sessions for each worker', () => {
    const backup = {
      codec: 'zstd',
      workers: 3,
      inlineLimitGiB: 0,
      copySteps: 4,
      excludeTables: ['app."odd, name"', 'b'],
    } as const;

    expect(variablesOf({ backup }, 'backup')).toMatchObject({
      CODEC: 'zstd',
      WORKERS: '3',
      MAX_CONNECTIONS: '5',
      INLINE_LIMIT_GIB: '0',
      COPY_STEPS: '4',
      SNAPSHOT_HOLDER: 'server',
      SNAPSHOT_LIFE_SECONDS: '21600',
      RELAY_SHIFT_SECONDS: '600',
      EXCLUDE_TABLES: JSON.stringify(['app."odd, name"', 'b']),
    });
  });

  test('the size of the memory: Lambda tells it to the function, so the stack does not', () => {
    expect(Object.keys(variablesOf({}, 'backup'))).not.toContain('AWS_LAMBDA_FUNCTION_MEMORY_SIZE');
  });

  test('what the config says of verify: it arrives; what it does not say is left to the function', () => {
    expect(variablesOf({ verify: { readers: 3, steps: 5, inlineLimitGiB: 1, samples: 7 } }, 'verify')).toMatchObject({
      VERIFY_READERS: '3',
      VERIFY_STEPS: '5',
      VERIFY_INLINE_LIMIT_GIB: '1',
      VERIFY_SAMPLES: '7',
    });
    expect(Object.keys(variablesOf({}, 'verify')).toSorted()).toEqual([
      'BACKUP_BUCKET',
      'DATABASE_NAME',
      ...Object.keys(processEnvironment),
    ]);
  });
});
