// Refuses a state machine that is wrong, or that uses what the local interpreter ignores without a word.
import validate from 'asl-validator';
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { walkStates } from './walk-states.ts';

/** Ignored by aws-local-stepfunctions 3.0.0: with any of them a local run would prove nothing about AWS. */
const IGNORED_FIELDS = [
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'ToleratedFailurePercentage',
  'ToleratedFailurePercentagePath',
  'ToleratedFailureCount',
  'ToleratedFailureCountPath',
  'Assign',
  'Arguments',
  'Output',
  'HeartbeatSeconds',
  'HeartbeatSecondsPath',
];

const LAMBDA_INVOKE = /^arn:aws[a-z-]*:states:::lambda:invoke$/;

/** The definition as it is; throws one error that lists everything that is wrong with it. */
export function checkDefinition(definition: StateMachineDefinition): StateMachineDefinition {
  // The validator writes into what it gets.
  const { isValid, errorsText } = validate(structuredClone(definition), { checkPaths: true, checkArn: true });
  const problems = isValid ? unsupported(definition) : [errorsText('; ')];
  if (problems.length === 0) return definition;
  throw new Error(`the state machine cannot be run as in AWS: ${problems.join('; ')}`);
}

function unsupported(definition: StateMachineDefinition): string[] {
  const problems: string[] = [];
  const language = Reflect.get(definition, 'QueryLanguage') ?? 'JSONPath';
  if (language !== 'JSONPath') problems.push(`its query language is ${String(language)}`);
  const walked = walkStates(definition.States);
  const names = walked.map(({ name }) => name);
  // Local handlers are found by the name of the state alone.
  for (const name of new Set(names.filter((one, index) => names.indexOf(one) !== index)))
    problems.push(`two states are called ${name}`);
  for (const { name, state } of walked) {
    for (const field of [...IGNORED_FIELDS, 'QueryLanguage'].filter((one) => one in state))
      problems.push(`${name} uses ${field}`);
    if (state.Type !== 'Task') continue;
    if (!LAMBDA_INVOKE.test(state.Resource))
      problems.push(`${name} is no task of lambda:invoke but of ${state.Resource}`);
    // The interpreter would end it after 60 seconds, AWS after a year.
    if (state.TimeoutSeconds === undefined) problems.push(`${name} has no TimeoutSeconds`);
  }
  return problems;
}
