// The one way to make a state machine: log, tracing, a role with hand-written statements, schedules, and one Failures alarm
// for whatever does not end well. The <job>-workflow.ts files say which states and functions.
import { ArnFormat, Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { JobName } from './job-name.ts';
import { type JobSchedule, jobSchedules, startWorkflow } from './job-schedules.ts';
import type { InvokedFunction } from './lambda-task.ts';
import { retentionOf } from './log-retention.ts';
import type { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';
import { logDeliveryActions, tracingActions, workflowTracingActions } from './wildcard-actions.ts';

interface JobWorkflowProps {
  /** Names the machine, its alarm and its schedules. */
  job: JobName;
  parts: StackParts;
  definition: Readonly<Record<string, unknown>>;
  /** The functions that its tasks invoke. */
  invoked: readonly ScheduledFunction[];
  /** Whether it has a distributed map, which runs each item as an execution of the same machine. */
  runsItems: boolean;
  schedules: readonly JobSchedule[];
  /** What the alarm says when an execution fails, times out or is stopped. */
  failure: string;
  /** The name of that alarm, where the function has one of its own; else it is that of the job. */
  failureAlarm?: string;
}

/** A function as a task invokes it. */
export function invokedFunction(
  { handler }: ScheduledFunction,
  { timeoutSeconds }: { timeoutSeconds: number },
): InvokedFunction {
  return { arn: handler.functionArn, partition: Aws.PARTITION, timeoutSeconds };
}

export class JobWorkflow extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, props: JobWorkflowProps) {
    super(scope, id);
    const { job, parts } = props;
    const { config } = parts;
    const name = `nightshift-${config.name}-${job}`;
    const logGroup = new LogGroup(this, 'Log', {
      // The prefix keeps the log out of the account's one resource policy, whose size is limited.
      logGroupName: `/aws/vendedlogs/states/${name}`,
      retention: retentionOf(config.logRetentionDays),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.machine = new StateMachine(this, 'StateMachine', {
      stateMachineName: name,
      definitionBody: DefinitionBody.fromString(Stack.of(this).toJsonString(props.definition)),
      // CDK would widen the role by grants of its own.
      role: this.role(props, name).withoutPolicyUpdates(),
      // Errors only, and without the data of the execution: what was done is in the logs of the functions.
      logs: { destination: logGroup, level: LogLevel.ERROR, includeExecutionData: false },
      tracingEnabled: config.tracing,
    });
    jobSchedules(this, parts, startWorkflow(this.machine), job, props.schedules);
    this.watchFailures(props);
  }

  private role({ job, parts, invoked, runsItems }: JobWorkflowProps, name: string): Role {
    // Built from the name: the machine's own reference would make role and machine wait for each other.
    const arn = (resource: string, resourceName: string) =>
      Stack.of(this).formatArn({
        service: 'states',
        resource,
        resourceName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    const items = [
      new PolicyStatement({
        sid: 'StartItems',
        actions: ['states:StartExecution'],
        resources: [arn('stateMachine', name)],
      }),
      new PolicyStatement({
        sid: 'WatchAndStopItems',
        actions: ['states:DescribeExecution', 'states:StopExecution'],
        resources: [arn('execution', `${name}:*`), arn('execution', `${name}/*`)],
      }),
    ];
    const tracing = new PolicyStatement({
      sid: 'SendTraces',
      actions: [...tracingActions, ...workflowTracingActions],
      resources: ['*'],
    });
    const statements = [
      new PolicyStatement({
        sid: 'InvokeSteps',
        actions: ['lambda:InvokeFunction'],
        resources: invoked.map(({ handler }) => handler.functionArn),
      }),
      ...(runsItems ? items : []),
      new PolicyStatement({ sid: 'DeliverLog', actions: [...logDeliveryActions], resources: ['*'] }),
      ...(parts.config.tracing ? [tracing] : []),
    ];
    return new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: { 'aws:SourceArn': arn('stateMachine', name) },
        },
      }),
      description: `Nightshift ${parts.config.name}: workflow of ${job}`,
      inlinePolicies: { workflow: new PolicyDocument({ statements }) },
    });
  }

  private watchFailures({ job, parts, failure, failureAlarm }: JobWorkflowProps): void {
    const options = { period: Duration.minutes(5), statistic: Stats.SUM };
    parts.alarms.add(this, 'Failures', {
      name: failureAlarm ?? `${job}-failures`,
      description: failure,
      // Each filled and then summed as a list: one of the three without any data must not swallow the other two.
      metric: new MathExpression({
        expression: 'SUM([FILL(failed,0),FILL(timedout,0),FILL(aborted,0)])',
        usingMetrics: {
          failed: this.machine.metricFailed(options),
          timedout: this.machine.metricTimedOut(options),
          aborted: this.machine.metricAborted(options),
        },
        period: options.period,
        label: 'Executions that did not end well',
      }),
      evaluationPeriods: 1,
      when: 'at least 1',
      missingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
