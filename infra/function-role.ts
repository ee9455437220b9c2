// The role of one function: what every function needs, written by hand, and the statements of its own job.
// No managed policy: those allow more than one function needs, and change without a deploy of ours.
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { StackParts } from './stack-parts.ts';
import { networkInterfaceActions, tracingActions } from './wildcard-actions.ts';

interface FunctionRoleProps {
  /** Of the function, without the database. */
  name: string;
  functionName: string;
  logGroup: ILogGroup;
  inVpc: boolean;
  /** What the job itself does. */
  statements: readonly PolicyStatement[];
}

/** The role of a function; its policy is part of the role, so it is whole before the function first runs. */
export function functionRole(scope: Construct, parts: StackParts, props: FunctionRoleProps): Role {
  const statements = [
    new PolicyStatement({
      sid: 'WriteLog',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [props.logGroup.logGroupArn],
    }),
    new PolicyStatement({
      sid: 'KeepFailedEvents',
      actions: ['sqs:SendMessage'],
      resources: [parts.queues.failed.queueArn],
    }),
    ...(props.inVpc ? networkInterfaces(scope, props.functionName) : []),
    ...(parts.config.tracing
      ? [new PolicyStatement({ sid: 'SendTraces', actions: [...tracingActions], resources: ['*'] })]
      : []),
    ...props.statements,
  ];
  return new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `Nightshift ${parts.config.name}: ${props.name}`,
    inlinePolicies: { [props.name]: new PolicyDocument({ statements }) },
  });
}

function networkInterfaces(scope: Construct, functionName: string): PolicyStatement[] {
  // Built from its name: the function's own reference would make role and function wait for each other.
  const functionArn = Stack.of(scope).formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: functionName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const actions = [...networkInterfaceActions];
  return [
    new PolicyStatement({ sid: 'JoinVpc', actions, resources: ['*'] }),
    new PolicyStatement({
      sid: 'CodeMayNotUseNetworkInterfaces',
      effect: Effect.DENY,
      actions,
      resources: ['*'],
      conditions: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn } },
    }),
  ];
}
