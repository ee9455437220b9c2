// The state machine of migrate as it is synthesized: valid, and run with answers of a function that only this test knows.
import { describe, expect, test } from 'vitest';
import { migrateEventSchema, migrateResultSchema } from '../../functions/migrate/contract.ts';
import type { Invoked } from '../../local/lambda/invoke-function.ts';
import { checkDefinition } from '../../local/workflow/check-definition.ts';
import { readWorkflows } from '../../local/workflow/read-workflow.ts';
import { runWorkflow, type WorkflowTask } from '../../local/workflow/run-workflow.ts';
import { walkStates } from '../../local/workflow/walk-states.ts';
import { sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const settings = { longestHours: 2, pollSeconds: 15, timeoutSeconds: 600 };
const template = templateOf(synthesize([sampleDatabase({ migrate: settings })]), 'sample');
const workflow = readWorkflows(template.toJSON()['Resources']).migrate;
const states = walkStates(workflow.definition.States);

type Outcome = Invoked['outcome'];

const nothing = { pending: [], halfDone: null, running: null };
const status = (downTo: number): Outcome => ({
  ok: true,
  result: migrateResultSchema.parse({
    action: 'status',
    dryRun: false,
    current: downTo + 1,
    ...nothing,
    changed: [],
    drift: null,
    downTo,
  }),
});
const pass = (answer: 'done' | 'running', action: 'up' | 'down' = 'up'): Outcome => ({
  ok: true,
  result: migrateResultSchema.parse({ action, dryRun: false, status: answer, current: 1, ...nothing, done: [] }),
});
const failed = (errorType: string): Outcome => ({ ok: false, code: errorType, errorType, message: 'told by the test' });

const requestedBy = 'ana@example.com';

/** Runs the workflow; the function gives these answers one after the other. */
async function run(input: object, answers: readonly Outcome[]) {
  const tasks: WorkflowTask[] = [];
  const left = [...answers];
  const { outcome } = await runWorkflow(
    workflow,
    { requestedBy, ...input },
    {
      signal: new AbortController().signal,
      pauseMs: 1,
      invoke: async (task) => {
        tasks.push(task);
        const answer = left.shift();
        if (answer === undefined) throw new Error(`${task.state} was invoked once more than this test answers`);
        return { requestId: 'test', durationMs: 0, outcome: answer };
      },
    },
  );
  const events = tasks.map(({ event }) => event);
  // Whatever the workflow sends, the function takes.
  expect(events.filter((event) => !migrateEventSchema.safeParse(event).success)).toEqual([]);
  return { outcome, events, left };
}

describe('the workflow of migrate', () => {
  test('the definition: the validator takes it, and its times are those of the config', () => {
    expect(checkDefinition(workflow.definition)).toBe(workflow.definition);
    expect(workflow.definition.TimeoutSeconds).toBe(7_200);
    expect(states.find(({ name }) => name === 'Pause')?.state).toMatchObject({ Type: 'Wait', Seconds: 15 });
    for (const { state } of states.filter((one) => one.state.Type === 'Task'))
      expect(state).toMatchObject({ TimeoutSeconds: 660, Catch: [{ ErrorEquals: ['States.ALL'] }] });
  });

  test('no path ends well without the answer "done"', () => {
    const leadTo = (target: string) =>
      states.filter(({ state }) => JSON.stringify(state).includes(`"Next":"${target}"`)).map(({ name }) => name);

    expect(states.filter(({ state }) => state.Type === 'Succeed').map(({ name }) => name)).toEqual(['Done']);
    expect(leadTo('Done')).toEqual(['IsDone']);
    expect(states.find(({ name }) => name === 'IsDone')?.state).toMatchObject({
      Choices: [{ StringEquals: 'running' }, { Variable: '$.pass.status', StringEquals: 'done', Next: 'Done' }],
      Default: 'MigrateFailed',
    });
  });

  test('up answers running twice: it is invoked with the same event until it is done', async () => {
    const { outcome, events } = await run({ action: 'up' }, [pass('running'), pass('running'), pass('done')]);

    const event = { job: 'migrate', action: 'up', requestedBy };
    expect(events).toEqual([event, event, event]);
    expect(outcome).toEqual({ ok: true, output: { status: 'done', current: 1, halfDone: null, running: null } });
  });

  test('down without a target answers running: the target is asked for once, and each pass names it', async () => {
    const { outcome, events } = await run({ action: 'down', confirmLoss: true }, [
      status(4),
      pass('running', 'down'),
      pass('done', 'down'),
    ]);

    const event = { job: 'migrate', action: 'down', to: 4, confirmLoss: true, requestedBy };
    expect(events).toEqual([{ job: 'migrate', action: 'status' }, event, event]);
    expect(outcome).toMatchObject({ ok: true });
  });

  test('down to 0: the target of the caller is taken, and nobody asks', async () => {
    const { events } = await run({ action: 'down', to: 0 }, [pass('done', 'down')]);

    expect(events).toEqual([{ job: 'migrate', action: 'down', to: 0, requestedBy }]);
  });

  test.each(['Lambda.TooManyRequestsException', 'Sandbox.Timedout', 'Runtime.ExitError'])(
    'the answer is lost (%s): it is started again and goes on',
    async (error) => {
      const { outcome, events } = await run({ action: 'up' }, [failed(error), pass('done')]);

      expect(events).toHaveLength(2);
      expect(outcome).toMatchObject({ ok: true });
    },
  );

  test('the function fails: it is not tried again, and the execution fails with the place to look at', async () => {
    const { outcome, events } = await run({ action: 'up' }, [failed('JobFailure')]);

    expect(events).toHaveLength(1);
    expect(outcome).toEqual({ ok: false, error: 'MigrateFailed', cause: expect.stringContaining('migrate.failed') });
  });

  test('the status that a down needs cannot be read: the execution fails, and nothing is reverted', async () => {
    const { outcome, events } = await run(
      { action: 'down' },
      Array.from({ length: 3 }, () => failed('JobFailure')),
    );

    expect(events.map((event) => event['action'])).toEqual(['status', 'status', 'status']);
    expect(outcome).toMatchObject({ ok: false, error: 'MigrateFailed' });
  });

  test.each([{}, { action: 'status' }, { action: 'repair' }, { action: 'up', dryRun: true }])(
    'an input that is no up or down (%j): it is refused, and the function is not invoked',
    async (input) => {
      const { outcome, events } = await run(input, []);

      expect(events).toEqual([]);
      expect(outcome).toMatchObject({
        ok: false,
        error: 'WrongInput',
        cause: expect.stringContaining('Nothing was run'),
      });
    },
  );

  test('an input that names another job: it is a run of migrate all the same, and dryRun false is one', async () => {
    const { events } = await run({ action: 'up', job: 'purge', dryRun: false }, [pass('done')]);

    expect(events).toEqual([{ job: 'migrate', action: 'up', dryRun: false, requestedBy }]);
  });

  test('nothing starts it but a person: it has no schedule', () => {
    const targets = Object.values(template.findResources('AWS::Scheduler::Schedule')).map(({ Properties }) =>
      JSON.stringify(Properties.Target.Arn),
    );

    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((target) => target.includes('Migrate'))).toEqual([]);
    expect(template.toJSON()['Outputs']).toHaveProperty('MigrateWorkflowArn');
  });
});
