// The Lambda functions, the workflows, secrets and buckets of a synthesized stack, with every reference resolved to a local name.
import { randomBytes } from 'node:crypto';
import { type JobName, jobNames } from '../../functions/shared/jobs.ts';
import { type DeployedWorkflow, readWorkflows, type WorkflowJob } from '../workflow/read-workflow.ts';
import { localReference, resolveDeep, resolveText } from './resolve-value.ts';
import type { SynthesizedStack } from './synthesize-stack.ts';

export interface DeployedFunction {
  job: JobName;
  /** Folder of the bundle. */
  folder: string;
  /** `index.handler`: file and export. */
  handler: string;
  timeoutMs: number;
  memoryMiB: number;
  environment: Readonly<Record<string, string>>;
}

export interface DeployedStack {
  functions: Readonly<Record<JobName, DeployedFunction>>;
  workflows: Readonly<Record<WorkflowJob, DeployedWorkflow>>;
  buckets: { name: string; versioned: boolean; policy: unknown; objectLock: { days: number } | false }[];
  /** By ARN; the values are made as CloudFormation would make them (GenerateSecretString). */
  secrets: Record<string, Record<string, unknown>>;
}

/** Reads the stack of one database; throws when a job has no function or a value cannot be resolved. */
export function readDeployedStack(stack: SynthesizedStack): DeployedStack {
  const functions: Partial<Record<JobName, DeployedFunction>> = {};
  const buckets: DeployedStack['buckets'] = [];
  const secrets: DeployedStack['secrets'] = {};
  for (const [logicalId, resource] of Object.entries(stack.resources)) {
    if (resource.Type === 'AWS::Lambda::Function') {
      const job = jobOfFunction(localReference(logicalId, resource));
      if (job) functions[job] = readFunction(job, stack, logicalId);
    } else if (resource.Type === 'AWS::S3::Bucket') {
      const versioned = JSON.stringify(resource.Properties['VersioningConfiguration'] ?? {}).includes('Enabled');
      buckets.push({
        name: localReference(logicalId, resource),
        versioned,
        policy: bucketPolicy(stack, logicalId),
        objectLock: objectLockOf(resource.Properties['ObjectLockConfiguration']),
      });
    } else if (resource.Type === 'AWS::SecretsManager::Secret') {
      secrets[localReference(logicalId, resource)] = generateSecret(stack, logicalId);
    }
  }
  return { functions: complete(functions), workflows: readWorkflows(stack.resources), buckets, secrets };
}

/** The job of a function, which its name ends with; undefined for a function that is none of ours. */
function jobOfFunction(functionName: string): JobName | undefined {
  return jobNames.find((one) => functionName.endsWith(`-${one}`));
}

function complete(functions: Partial<Record<JobName, DeployedFunction>>): Record<JobName, DeployedFunction> {
  const missing = jobNames.filter((job) => functions[job] === undefined);
  if (missing.length > 0) throw new Error(`the template has no function for ${missing.join(', ')}`);
  return functions as Record<JobName, DeployedFunction>;
}

function readFunction(job: JobName, stack: SynthesizedStack, logicalId: string): DeployedFunction {
  const properties = stack.resources[logicalId]?.Properties ?? {};
  const environment: Record<string, string> = {};
  const declared = properties['Environment'] as { Variables?: Record<string, unknown> } | undefined;
  for (const [name, value] of Object.entries(declared?.Variables ?? {})) {
    environment[name] = resolveText(value, stack.resources);
  }
  return {
    job,
    folder: stack.assetFolder(logicalId),
    handler: String(properties['Handler']),
    timeoutMs: Number(properties['Timeout'] ?? 3) * 1_000,
    memoryMiB: Number(properties['MemorySize'] ?? 128),
    environment,
  };
}

function objectLockOf(configuration: unknown): { days: number } | false {
  const found = configuration as { Rule?: { DefaultRetention?: { Days?: number } } } | undefined;
  return found === undefined ? false : { days: found.Rule?.DefaultRetention?.Days ?? 0 };
}

function generateSecret(stack: SynthesizedStack, logicalId: string): Record<string, unknown> {
  const generate = stack.resources[logicalId]?.Properties['GenerateSecretString'] as
    | { SecretStringTemplate?: unknown; GenerateStringKey?: string }
    | undefined;
  if (generate?.SecretStringTemplate === undefined || generate.GenerateStringKey === undefined) {
    throw new Error(`secret ${logicalId} is not made by GenerateSecretString`);
  }
  const template: Record<string, unknown> = JSON.parse(resolveText(generate.SecretStringTemplate, stack.resources));
  return { ...template, [generate.GenerateStringKey]: randomBytes(24).toString('base64url') };
}

function bucketPolicy(stack: SynthesizedStack, bucketId: string): unknown {
  const policy = Object.values(stack.resources).find(
    (resource) =>
      resource.Type === 'AWS::S3::BucketPolicy' &&
      JSON.stringify(resource.Properties['Bucket']).includes(`"${bucketId}"`),
  );
  return resolveDeep(policy?.Properties['PolicyDocument'], stack.resources);
}
