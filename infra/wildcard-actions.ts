// Every IAM action that a role of ours may use on all resources ("*"), with the reason why it cannot be narrower.
// A test refuses any other.

export const networkInterfaceActions = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
] as const;

export const tracingActions = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'] as const;

/** For a state machine, which decides itself what is sampled. */
export const workflowTracingActions = ['xray:GetSamplingRules', 'xray:GetSamplingTargets'] as const;

/** For a drill that looks at the free storage of its instance. */
export const metricActions = ['cloudwatch:GetMetricData'] as const;

export const logDeliveryActions = [
  'logs:CreateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:DescribeLogGroups',
  'logs:DescribeResourcePolicies',
  'logs:GetLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:UpdateLogDelivery',
] as const;

const interfaces =
  'Lambda makes the network interfaces of a function in a VPC with the role of the function, before they have an ARN; the Describe actions know no resources. A Deny for requests of the code itself stands beside it';
const tracing = 'X-Ray has no resource for sending segments (service authorization reference)';
const metrics =
  'CloudWatch has no resource and no condition for reading metrics (service authorization reference); it tells figures only';
const logDelivery =
  'Step Functions sets up the delivery of its log with the role of the state machine; these actions know no resources (Logging using CloudWatch Logs, Step Functions guide)';

/** Action → why it is allowed on "*". */
export const wildcardActions: ReadonlyMap<string, string> = new Map([
  ...networkInterfaceActions.map((action) => [action, interfaces] as const),
  ...[...tracingActions, ...workflowTracingActions].map((action) => [action, tracing] as const),
  ...metricActions.map((action) => [action, metrics] as const),
  ...logDeliveryActions.map((action) => [action, logDelivery] as const),
]);
