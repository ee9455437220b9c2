// Resolves the intrinsic functions of a CloudFormation template to local names, as CloudFormation would to real ones.
import type { TemplateResource } from './synthesize-stack.ts';

/** The account and region that the local night pretends to run in. */
export const LOCAL_ACCOUNT = '000000000000';
export const LOCAL_REGION = 'eu-central-1';

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::AccountId': LOCAL_ACCOUNT,
  'AWS::Region': LOCAL_REGION,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** What Ref gives for a resource: a name for buckets, functions and queues, an ARN for secrets, topics, keys and workflows. */
export function localReference(logicalId: string, resource: TemplateResource): string {
  switch (resource.Type) {
    case 'AWS::S3::Bucket':
      return nameIn(resource, 'BucketName', logicalId.toLowerCase().slice(0, 63));
    case 'AWS::SecretsManager::Secret':
      return `arn:aws:secretsmanager:${LOCAL_REGION}:${LOCAL_ACCOUNT}:secret:${logicalId}-local1`;
    case 'AWS::StepFunctions::StateMachine':
      return `arn:aws:states:${LOCAL_REGION}:${LOCAL_ACCOUNT}:stateMachine:${nameIn(resource, 'StateMachineName', logicalId)}`;
    case 'AWS::Lambda::Function':
      return nameIn(resource, 'FunctionName', logicalId);
    default:
      return logicalId;
  }
}

/** The name that the template gives to a resource, or the one that the local run gives it. */
function nameIn(resource: TemplateResource, property: string, otherwise: string): string {
  const name = resource.Properties[property];
  return typeof name === 'string' ? name : otherwise;
}

/**
 * A value of the template as text.
 *
 * Knows Ref, Fn::GetAtt of Arn, Fn::Join and Fn::Sub; throws for anything else, because a guess would run a function
 * with a setting that it does not have in AWS.
 */
export function resolveText(value: unknown, resources: Readonly<Record<string, TemplateResource>>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const [name, argument] = singleEntry(value);
  switch (name) {
    case 'Ref':
      return reference(String(argument), resources);
    case 'Fn::GetAtt': {
      const [logicalId = '', attribute] = Array.isArray(argument)
        ? argument.map(String)
        : String(argument).split('.', 2);
      if (attribute !== 'Arn') break;
      return localArn(logicalId, resources);
    }
    case 'Fn::Join': {
      if (!Array.isArray(argument) || !Array.isArray(argument[1])) break;
      return argument[1].map((part) => resolveText(part, resources)).join(String(argument[0]));
    }
    case 'Fn::Sub':
      return String(argument).replaceAll(/\$\{([^}]+)\}/g, (_, inner: string) => reference(inner, resources));
    default:
      break;
  }
  throw new Error(`the local run cannot resolve ${JSON.stringify(value)}`);
}

/** A value of any shape with every intrinsic function in it resolved. */
export function resolveDeep(value: unknown, resources: Readonly<Record<string, TemplateResource>>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveDeep(item, resources));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && /^(Ref|Fn::\w+)$/.test(entries[0]?.[0] ?? '')) return resolveText(value, resources);
  return Object.fromEntries(entries.map(([name, item]) => [name, resolveDeep(item, resources)]));
}

/** The ARN that Fn::GetAtt gives for a resource. */
export function localArn(logicalId: string, resources: Readonly<Record<string, TemplateResource>>): string {
  const name = reference(logicalId, resources);
  const type = resources[logicalId]?.Type;
  if (type === 'AWS::S3::Bucket') return `arn:aws:s3:::${name}`;
  if (type === 'AWS::Lambda::Function') return `arn:aws:lambda:${LOCAL_REGION}:${LOCAL_ACCOUNT}:function:${name}`;
  return `arn:aws:local:${LOCAL_REGION}:${LOCAL_ACCOUNT}:${name}`;
}

function reference(name: string, resources: Readonly<Record<string, TemplateResource>>): string {
  const pseudo = PSEUDO_PARAMETERS[name];
  if (pseudo !== undefined) return pseudo;
  const resource = resources[name];
  if (!resource) throw new Error(`the template has no resource "${name}"`);
  return localReference(name, resource);
}

function singleEntry(value: unknown): [string, unknown] {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const only = entries.length === 1 ? entries[0] : undefined;
  if (!only) throw new Error(`the local run cannot resolve ${JSON.stringify(value)}`);
  return only;
}
