// The state machine of purge as it is synthesized: valid, and run with answers of a function that only this test knows.
import { describe, expect, test } from 'vitest';
import { purgeEvent, purgeResult } from '../../functions/purge/contract.ts';
import { SHORTEST_PAUSE_SECONDS } from '../../infra/purge-states.ts';
import type { Invoked } from '../../local/lambda/invoke-function.ts';
import { checkDefinition } from '../../local/workflow/check-definition.ts';
import { readWorkflows } from '../../local/workflow/read-workflow.ts';
import { runWorkflow, type WorkflowTask } from '../../local/workflow/run-workflow.ts';
import { walkStates } from '../../local/workflow/walk-states.ts';
import { sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const settings = { longestHours: 2, timeoutSeconds: 600 };
const template = templateOf(synthesize([sampleDatabase({ purge: settings })]), 'sample');
const workflow = readWorkflows(template.toJSON()['Resources']).purge;
const states = walkStates(workflow.definition.States);

type Outcome = Invoked['outcome'];

const pass = (answer: { complete: boolean; waitSeconds: number; rowsDone?: number }): Outcome => ({
  ok: true,
  result: purgeResult.parse({
    dryRun: false,
    planHash: null,
    piiWithoutPolicy: [],
    policies: [],
    rowsDone: 0,
    ...answer,
  }),
});
const done = pass({ complete: true, waitSeconds: 0, rowsDone: 5 });
const failed = (errorType: string): Outcome => ({ ok: false, code: errorType, errorType, message: 'told by the test' });

const scheduled = { job: 'purge', scheduledTime: '2026-11-22T03:30:00Z' };

/** Runs the workflow; the function gives these answers one after the other. */
async function run(input: object, answers: readonly Outcome[]) {
  const tasks: WorkflowTask[] = [];
  const left = [...answers];
  const { outcome, executionId } = await runWorkflow(
    workflow,
    { ...input },
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
  const events = tasks.map(({ event }) => {
    const { executionId: ofExecution, ...rest } = event;
    expect(ofExecution).toBe(executionId);
    return rest;
  });
  // Whatever the workflow sends, the function takes.
  expect(tasks.filter(({ event }) => !purgeEvent.safeParse(event).success)).toEqual([]);
  return { outcome, events, left };
}

/** The state that comes after IsComplete for an answer, by the rules of a Choice. */
function nextAfter(answer: { complete: boolean; waitSeconds: number; rowsDone: number }): string {
  const choice = states.find(({ name }) => name === 'IsComplete')?.state;
  if (choice?.Type !== 'Choice') throw new Error('IsComplete is no choice');
  type Rule = { Variable?: string; And?: Rule[]; Next?: string } & Record<string, unknown>;
  const holds = (rule: Rule): boolean => {
    if (rule.And) return rule.And.every(holds);
    const value = Reflect.get(answer, (rule.Variable ?? '').replace('$.pass.', ''));
    if ('BooleanEquals' in rule) return value === rule['BooleanEquals'];
    if ('NumericEquals' in rule) return value === rule['NumericEquals'];
    if ('NumericGreaterThan' in rule) return Number(value) > Number(rule['NumericGreaterThan']);
    throw new Error(`this test does not know ${JSON.stringify(rule)}`);
  };
  const rules: Rule[] = JSON.parse(JSON.stringify(choice.Choices));
  return rules.find(holds)?.Next ?? choice.Default ?? '';
}

describe('the workflow of purge', () => {
  test('the definition: the validator takes it, and its times are those of the config', () => {
    expect(checkDefinition(workflow.definition)).toBe(workflow.definition);
    expect(workflow.definition.TimeoutSeconds).toBe(7_200);
    const tasks = states.filter(({ state }) => state.Type === 'Task');
    expect(tasks.map(({ name }) => name)).toEqual(['Run']);
    for (const { state } of tasks)
      expect(state).toMatchObject({ TimeoutSeconds: 660, Catch: [{ ErrorEquals: ['States.ALL'] }] });
  });

  test.each([
    ['complete, whatever else it says', { complete: true, waitSeconds: 900, rowsDone: 0 }, 'Done'],
    ['out of time, with rows done', { complete: false, waitSeconds: 0, rowsDone: 7 }, 'Run'],
    ['it waits for the server', { complete: false, waitSeconds: 300, rowsDone: 7 }, 'Pause'],
    ['it would look again within seconds', { complete: false, waitSeconds: 1, rowsDone: 7 }, 'ShortPause'],
    ['at once, and nothing was done', { complete: false, waitSeconds: 0, rowsDone: 0 }, 'ShortPause'],
  ])('a pass answers: %s: %j goes to %s', (_, answer, next) => {
    expect(nextAfter(answer)).toBe(next);
  });

  test('the pauses: as long as the answer says, and never so short that the history grows too long for Step Functions', () => {
    const stateOf = (name: string) => states.find((one) => one.name === name)?.state;
    const longest = templateOf(synthesize([sampleDatabase({ purge: { longestHours: 20 } })]), 'sample');
    const { TimeoutSeconds = Infinity } = readWorkflows(longest.toJSON()['Resources']).purge.definition;
    // Enter, schedule, start, succeed and exit of the task; enter and exit of the choice and of the wait.
    const eventsOfPass = 9;

    expect(stateOf('Pause')).toMatchObject({ Type: 'Wait', SecondsPath: '$.pass.waitSeconds', Next: 'Run' });
    expect(stateOf('ShortPause')).toMatchObject({ Type: 'Wait', Seconds: SHORTEST_PAUSE_SECONDS, Next: 'Run' });
    expect((TimeoutSeconds / SHORTEST_PAUSE_SECONDS) * eventsOfPass).toBeLessThan(25_000);
  });

  test('no path ends well without the answer "complete"', () => {
    const leadTo = (target: string) =>
      states.filter(({ state }) => JSON.stringify(state).includes(`"Next":"${target}"`)).map(({ name }) => name);

    expect(states.filter(({ state }) => state.Type === 'Succeed').map(({ name }) => name)).toEqual(['Done']);
    expect(leadTo('Done')).toEqual(['IsComplete']);
  });

  test('it pauses, is out of time and has nothing to do for now: each pass gets the same event until one is complete', async () => {
    const { outcome, events } = await run(scheduled, [
      pass({ complete: false, waitSeconds: 45, rowsDone: 10 }),
      pass({ complete: false, waitSeconds: 0, rowsDone: 10 }),
      pass({ complete: false, waitSeconds: 0 }),
      done,
    ]);

    expect(events).toEqual([scheduled, scheduled, scheduled, scheduled]);
    expect(outcome).toEqual({ ok: true, output: { complete: true, waitSeconds: 0, rowsDone: 5 } });
  });

  test('an erasure by hand: the subject and who asked for it stand in every pass', async () => {
    const event = {
      job: 'purge',
      requestedBy: 'ana@example.com',
      subject: { table: 'users', key: '7', reference: 'DSR-2026-17' },
      dryRun: false,
    };

    const { events } = await run(event, [pass({ complete: false, waitSeconds: 60 }), done]);

    expect(events).toEqual([event, event]);
  });

  test('a large answer: what decides is kept, and nothing of the policies gets into the history', async () => {
    const { outcome } = await run(scheduled, [done]);

    expect(states.find(({ name }) => name === 'Run')?.state).toMatchObject({
      ResultSelector: {
        'complete.$': '$.Payload.complete',
        'waitSeconds.$': '$.Payload.waitSeconds',
        'rowsDone.$': '$.Payload.rowsDone',
      },
    });
    expect(JSON.stringify(outcome)).not.toContain('policies');
  });

  test.each(['Lambda.TooManyRequestsException', 'Sandbox.Timedout', 'Runtime.ExitError'])(
    'the answer is lost (%s): it is started again and goes on',
    async (error) => {
      const { outcome, events } = await run(scheduled, [failed(error), done]);

      expect(events).toEqual([scheduled, scheduled]);
      expect(outcome).toMatchObject({ ok: true });
    },
  );

  test('the function fails: it is not tried again, and the execution fails with the place to look at', async () => {
    const { outcome, events } = await run(scheduled, [
      pass({ complete: false, waitSeconds: 60 }),
      failed('JobFailure'),
    ]);

    expect(events).toHaveLength(2);
    expect(outcome).toEqual({ ok: false, error: 'PurgeFailed', cause: expect.stringContaining('purge.failed') });
  });

  test('an answer without "complete", as of another version of the function: the execution fails, and does not go round', async () => {
    const { outcome, events } = await run(scheduled, [{ ok: true, result: { rowsDone: 1 } }]);

    expect(events).toHaveLength(1);
    expect(outcome).toMatchObject({ ok: false });
  });

  test('a dry run: it is refused, and the function is not invoked', async () => {
    const { outcome, events } = await run({ job: 'purge', dryRun: true }, []);

    expect(events).toEqual([]);
    expect(outcome).toMatchObject({
      ok: false,
      error: 'WrongInput',
      cause: expect.stringContaining('Nothing was run'),
    });
  });

  test('an input that names another job: it is a run of purge all the same', async () => {
    const { events } = await run({ ...scheduled, job: 'expire' }, [done]);

    expect(events).toEqual([scheduled]);
  });

  test('its schedule starts it with an event that the function takes; the function itself has none', () => {
    const schedules = Object.values(template.findResources('AWS::Scheduler::Schedule')).filter(
      ({ Properties }) => Properties.Name === 'purge',
    );
    const [schedule] = schedules.map(({ Properties }) => Properties);

    expect(schedules).toHaveLength(1);
    expect(JSON.stringify(schedule?.Target.Arn)).toMatch(/PurgeWorkflowStateMachine/);
    const event = schedule?.Target.Input.replace('<aws.scheduler.scheduled-time>', scheduled.scheduledTime);
    expect(JSON.parse(event)).toEqual(scheduled);
    expect(template.toJSON()['Outputs']).toHaveProperty('PurgeWorkflowArn');
  });
});
