// The state machine of the restore drill as it is synthesized: valid, within what runs locally, and safe when something fails.
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { restoreDrillEvent } from '../../functions/restore-drill/contract.ts';
import { checkDefinition } from '../../local/workflow/check-definition.ts';
import { readWorkflows } from '../../local/workflow/read-workflow.ts';
import { walkStates } from '../../local/workflow/walk-states.ts';
import { sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const template = templateOf(synthesize([sampleDatabase({ restoreDrill: { longestHours: 20 } })]), 'sample');
const { definition } = readWorkflows(template.toJSON()['Resources'])['restore-drill'];
const states = walkStates(definition.States);
const tasks = states.filter(({ state }) => state.Type === 'Task');

/** A field of a state, whatever its type. */
function field(state: object | undefined, name: string): unknown {
  return state === undefined ? undefined : Reflect.get(state, name);
}

const retrySchema = z.array(z.looseObject({ ErrorEquals: z.array(z.string()), MaxAttempts: z.number() }));

describe('the workflow of the restore drill', () => {
  test('the definition: the validator takes it, and it uses nothing that the local run would pass over', () => {
    expect(checkDefinition(definition)).toBe(definition);
    expect(definition.TimeoutSeconds).toBe(72_000);
  });

  test('every task: it invokes the drill with a step of its event, and waits a minute longer than the function may work', () => {
    const steps = tasks.map(({ state }) => {
      const parameters = Object(field(state, 'Parameters'));
      const payload = Reflect.get(parameters, 'Payload');
      expect(JSON.stringify(parameters)).toContain(':function:nightshift-sample-restore-drill"');
      expect(field(state, 'TimeoutSeconds')).toBe(960);
      return payload === undefined ? 'plan' : Reflect.get(Object(payload), 'step');
    });

    expect(steps).toEqual(['plan', 'work', 'finish', 'abort', 'abort']);
    for (const step of steps)
      expect(restoreDrillEvent.safeParse({ job: 'restore-drill', step: `${step}s` }).success).toBe(false);
  });

  test('every task: it is started again when Lambda could not take it or its function was killed, for each goes on', () => {
    for (const { state } of tasks) {
      const retries = retrySchema.parse(field(state, 'Retry'));
      expect(retries.map(({ ErrorEquals }) => ErrorEquals)).toEqual([
        expect.arrayContaining(['Lambda.ServiceException', 'Lambda.TooManyRequestsException']),
        ['Sandbox.Timedout', 'Runtime.ExitError', 'Lambda.Unknown', 'States.Timeout'],
      ]);
    }
  });

  test('whatever fails is aborted, and the workflow then fails: no path ends well without the step finish', () => {
    const caught = states.filter(({ state }) => 'Catch' in state).map(({ name }) => name);
    const next = (name: string) => field(states.find((one) => one.name === name)?.state, 'Next');

    expect(caught).toEqual(['Plan', 'Drills', 'Finish']);
    expect([next('Abort'), next('AbortUnplanned')]).toEqual(['DrillFailed', 'DrillFailed']);
    expect(states.filter(({ state }) => field(state, 'Next') === 'Done').map(({ name }) => name)).toEqual(['Finish']);
    expect(states.filter(({ state }) => state.Type === 'Fail').map(({ name }) => name)).toEqual(['DrillFailed']);
  });

  test('two backups are due: they are drilled one after the other, for each needs as much disk as the database', () => {
    expect(field(states.find(({ name }) => name === 'Drills')?.state, 'MaxConcurrency')).toBe(1);
  });
});
