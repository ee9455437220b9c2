// The state machines of a synthesized stack, resolved to local names and checked: they may use only what runs locally as in AWS.
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

/** The jobs that a state machine runs. */
export const workflowJobs = ['backup', 'restore-drill', 'purge', 'migrate'] as const;

export type WorkflowJob = (typeof workflowJobs)[number];

/** By job, which the name of its machine ends with; throws when one is missing, or cannot be run faithfully. */
export function readWorkflows(
  resources: Readonly<Record<string, TemplateResource>>,
): Readonly<Record<WorkflowJob, DeployedWorkflow>> {
  const jobs = new Map<string, JobName>();
  for (const [functionId, one] of Object.entries(resources)) {
    if (one.Type !== 'AWS::Lambda::Function') continue;
    const job = jobNames.find((name) => localReference(functionId, one).endsWith(`-${name}`));
    if (job) jobs.set(localArn(functionId, resources), job);
  }
  const read = (job: WorkflowJob): DeployedWorkflow => {
    const machine = Object.entries(resources).find(
      ([id, one]) => one.Type === 'AWS::StepFunctions::StateMachine' && localReference(id, one).endsWith(`-${job}`),
    );
    if (!machine) throw new Error(`the template has no state machine for ${job}`);
    const [logicalId, resource] = machine;
    const definition = checkDefinition(JSON.parse(resolveText(resource.Properties['DefinitionString'], resources)));
    return { arn: localReference(logicalId, resource), definition, jobs };
  };
  return {
    backup: read('backup'),
    'restore-drill': read('restore-drill'),
    purge: read('purge'),
    migrate: read('migrate'),
  };
}
