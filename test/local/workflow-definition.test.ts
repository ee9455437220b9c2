import { describe, expect, test } from 'vitest';
import { checkDefinition } from '../../local/workflow/check-definition.ts';

describe('checkDefinition', () => {
  const task = {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: 'x' },
    TimeoutSeconds: 5,
    End: true,
  };
  const machine = (states: object, more: object = {}) =>
    JSON.parse(JSON.stringify({ StartAt: 'A', States: states, ...more }));
  const map = (more: object) => ({
    A: {
      Type: 'Map',
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'B',
        States: { B: task },
      },
      End: true,
      ...more,
    },
  });

  test.each([
    ['a task without a time limit', machine({ A: { ...task, TimeoutSeconds: undefined } }), 'A has no TimeoutSeconds'],
    ['tolerated failures', machine(map({ ToleratedFailureCount: 1 })), 'A uses ToleratedFailureCount'],
    [
      'a result writer',
      machine(
        map({ ResultWriter: { Resource: 'arn:aws:states:::s3:putObject', Parameters: { Bucket: 'b', Prefix: 'p' } } }),
      ),
      'A uses ResultWriter',
    ],
    ['JSONata', machine({ A: { Type: 'Pass', End: true } }, { QueryLanguage: 'JSONata' }), 'JSONata'],
    [
      'another service',
      machine({ A: { ...task, Resource: 'arn:aws:states:::sqs:sendMessage' } }),
      'no task of lambda:invoke',
    ],
    ['a state that is not there', machine({ A: { Type: 'Pass', Next: 'Z' } }), 'Z'],
  ])('%s: it is refused, because the local run would pass over it', (_, definition, problem) => {
    expect(() => checkDefinition(definition)).toThrow(problem);
  });

  test('a state machine that runs as in AWS: it is taken as it is', () => {
    const definition = machine(map({}));

    expect(checkDefinition(definition)).toEqual(machine(map({})));
  });
});
