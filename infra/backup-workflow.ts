// The state machine of the backup: the nightly schedule starts it, and it invokes backup and verify and nothing else.
// Its Failures alarm is that of the backup as a whole, so a verification that fails is told by it too.
import { ArnFormat, Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { backupDefinition } from './backup-states.ts';
import { jobSchedules, startWorkflow } from './job-schedules.ts';
import { retentionOf } from './log-retention.ts';
import type { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';
import { logDeliveryActions, tracingActions, workflowTracingActions } from './wildcard-actions.ts';

/** Time for the verification after the longest life of a snapshot. */
const AFTER_SNAPSHOT_SECONDS = 3_600;

interface BackupWorkflowProps {
  backup: ScheduledFunction;
  verify: ScheduledFunction;
}

export class BackupWorkflow extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, parts: StackParts, functions: BackupWorkflowProps) {
    super(scope, id);
    const { config } = parts;
    const name = `nightshift-${config.name}-backup`;
    const logGroup = new LogGroup(this, 'Log', {
      // The prefix keeps the log out of the account's one resource policy, whose size is limited.
      logGroupName: `/aws/vendedlogs/states/${name}`,
      retention: retentionOf(config.logRetentionDays),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const invoked = ({ handler }: ScheduledFunction, { timeoutSeconds }: { timeoutSeconds: number }) => ({
      arn: handler.functionArn,
      partition: Aws.PARTITION,
      timeoutSeconds,
    });
    const { backup } = config;
    const definition = backupDefinition({
      backup: invoked(functions.backup, backup),
      verify: invoked(functions.verify, config.verify),
      snapshotHolder: backup.snapshotHolder,
      relayShiftSeconds: backup.relayShiftSeconds,
      timeoutSeconds: backup.snapshotLifeSeconds + AFTER_SNAPSHOT_SECONDS,
    });
    this.machine = new StateMachine(this, 'StateMachine', {
      stateMachineName: name,
      definitionBody: DefinitionBody.fromString(Stack.of(this).toJsonString(definition)),
      // CDK would widen the role by grants of its own.
      role: this.role(parts, name, functions).withoutPolicyUpdates(),
      // Errors only, and without the data of the execution: what was done is in the logs of the functions.
      logs: { destination: logGroup, level: LogLevel.ERROR, includeExecutionData: false },
      tracingEnabled: config.tracing,
    });
    const schedule = config.schedules.backup;
    jobSchedules(this, parts, startWorkflow(this.machine), 'backup', [{ name: 'backup', schedule }]);
    this.watchFailures(parts);
  }

  private role(parts: StackParts, name: string, { backup, verify }: BackupWorkflowProps): Role {
    // Built from the name: the machine's own reference would make role and machine wait for each other.
    const arn = (resource: string, resourceName: string) =>
      Stack.of(this).formatArn({
        service: 'states',
        resource,
        resourceName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    const statements = [
      new PolicyStatement({
        sid: 'InvokeSteps',
        actions: ['lambda:InvokeFunction'],
        resources: [backup.handler.functionArn, verify.handler.functionArn],
      }),
      // A distributed map runs each of its items as an execution of the same state machine.
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
      new PolicyStatement({ sid: 'DeliverLog', actions: [...logDeliveryActions], resources: ['*'] }),
      ...(parts.config.tracing
        ? [
            new PolicyStatement({
              sid: 'SendTraces',
              actions: [...tracingActions, ...workflowTracingActions],
              resources: ['*'],
            }),
          ]
        : []),
    ];
    return new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: { 'aws:SourceArn': arn('stateMachine', name) },
        },
      }),
      description: `Nightshift ${parts.config.name}: workflow of backup`,
      inlinePolicies: { workflow: new PolicyDocument({ statements }) },
    });
  }

  private watchFailures(parts: StackParts): void {
    const options = { period: Duration.minutes(5), statistic: Stats.SUM };
    parts.alarms.add(this, 'Failures', {
      name: 'backup-failures',
      description: `The backup of ${parts.config.name} or its verification failed, ran out of time or was stopped.`,
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
