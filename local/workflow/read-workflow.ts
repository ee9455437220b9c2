// The state machine of a synthesized stack, resolved to local names and checked: it may use only what runs locally as in AWS.
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { type JobName, jobNames } from '../../functions/shared/jobs.ts';
import { localArn, localReference, resolveText } from '../template/resolve-value.ts';
import type { TemplateResource } from '../template/synthesize-stack.ts';
import { checkDefinition } from './check-definition.ts';

export interface DeployedWorkflow {
  arn: string;
  definition: StateMachineDefinition;
  /** The job of each function that it may invoke, by the ARN of the function. */
  jobs: ReadonlyMap<string, JobName>;
}

/** The one state machine of the resources; throws when there is not exactly one, or when it cannot be run faithfully. */
export function readWorkflow(resources: Readonly<Record<string, TemplateResource>>): DeployedWorkflow {
  const machines = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::StepFunctions::StateMachine');
  const [machine] = machines;
  if (!machine || machines.length > 1) throw new Error(`the template has ${machines.length} state machines, not one`);
  const [logicalId, resource] = machine;
  const definition = checkDefinition(JSON.parse(resolveText(resource.Properties['DefinitionString'], resources)));
  const jobs = new Map<string, JobName>();
  for (const [functionId, one] of Object.entries(resources)) {
    if (one.Type !== 'AWS::Lambda::Function') continue;
    const job = jobNames.find((name) => localReference(functionId, one).endsWith(`-${name}`));
    if (job) jobs.set(localArn(functionId, resources), job);
  }
  return { arn: localReference(logicalId, resource), definition, jobs };
}
