// The one home-made construct: every function of Nightshift goes through it, so none is without a role of its own,
// a log with an end, queues for lost events, a Failures alarm and, when it is scheduled, a NotRunning alarm.
// A function that a workflow invokes is started, and its failures are told, by the workflow.
import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import { Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Function, type ILayerVersion, LoggingFormat, Tracing } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { functionArchitecture, functionCode, functionRuntime } from './function-bundle.ts';
import { functionRole } from './function-role.ts';

import type { JobName } from './job-name.ts';
import { type JobSchedule, jobSchedules, startFunction } from './job-schedules.ts';
import { retentionOf } from './log-retention.ts';
import { processEnvironment } from './process-environment.ts';
import { alarmWindow, silenceMinutes } from './schedule-window.ts';
import type { StackParts } from './stack-parts.ts';

/** Where the jobs count their good ends; a test compares it with functions/shared/metrics.ts. */
export const METRIC_NAMESPACE = 'Nightshift';
export const FINISHED_METRIC = 'JobFinished';

interface ScheduledFunctionProps {
  job: JobName;
  parts: StackParts;
  settings: {
    timeoutSeconds: number;
    memoryMiB: number;
    reservedConcurrency?: number;
    ephemeralStorageMiB?: number;
  };
  /** The job's record of variables, typed by its environment.ts; unset ones are left out. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Whether it connects to the database; the others stay outside the VPC, where the database cannot be reached. */
  usesDatabase: boolean;
  /** What its role may do besides logging. */
  statements: readonly PolicyStatement[];
  /** How often Lambda runs a failed event again; 0 where a second run could do harm. */
  retriesOfFailedEvent: 0 | 2;
  /** None for a job that is invoked by hand. */
  schedules: readonly JobSchedule[];
  /**
   * By the workflow on these schedules, or by a deployment: no schedule of its own starts the function, and no alarm tells of
   * its errors, for the workflow or whoever deploys is told of them.
   */
  startedBy?: 'schedule' | 'workflow' | 'deployment';
  /** For a second function of the job: it is named `<job>-<part>`, and its entry is functions/<job>/<part>-handler.ts. */
  part?: string;
  layer?: ILayerVersion | undefined;
}

export class ScheduledFunction extends Construct {
  readonly handler: Function;

  constructor(scope: Construct, id: string, props: ScheduledFunctionProps) {
    super(scope, id);
    const { job, parts, settings } = props;
    const { config } = parts;
    const name = props.part === undefined ? job : `${job}-${props.part}`;
    const functionName = `nightshift-${config.name}-${name}`;

    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: retentionOf(config.logRetentionDays),
      // What a run did is kept as a run record in the bucket, which outlives the stack.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = functionRole(this, parts, {
      name,
      functionName,
      logGroup,
      inVpc: props.usesDatabase,
      statements: props.statements,
    });
    this.handler = new Function(this, 'Function', {
      functionName,
      description: `Nightshift ${config.name}: ${name}`,
      code: functionCode(job, props.part === undefined ? 'handler.ts' : `${props.part}-handler.ts`),
      handler: 'index.handler',
      runtime: functionRuntime,
      architecture: functionArchitecture,
      timeout: Duration.seconds(settings.timeoutSeconds),
      memorySize: settings.memoryMiB,
      ephemeralStorageSize:
        settings.ephemeralStorageMiB === undefined ? undefined : Size.mebibytes(settings.ephemeralStorageMiB),
      reservedConcurrentExecutions: settings.reservedConcurrency,
      // CDK would widen the role by grants of its own.
      role: role.withoutPolicyUpdates(),
      environment: { ...definedOnly(props.environment), ...processEnvironment },
      ...(props.usesDatabase ? { vpc: parts.access.vpc, securityGroups: [parts.access.securityGroup] } : {}),
      layers: props.layer === undefined ? [] : [props.layer],
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: config.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      retryAttempts: props.retriesOfFailedEvent,
      maxEventAge: Duration.minutes(30),
      onFailure: new SqsDestination(parts.queues.failed),
    });

    if (props.startedBy === undefined || props.startedBy === 'schedule') {
      jobSchedules(this, parts, startFunction(this.handler), job, props.schedules);
      this.watchFailures(job, parts);
    }
    this.watchSilence(job, parts, props.schedules);
  }

  private watchFailures(job: JobName, parts: StackParts): void {
    parts.alarms.add(this, 'Failures', {
      name: `${job}-failures`,
      description: `${job} of ${parts.config.name} failed or ran out of time.`,
      metric: this.handler.metricErrors({ period: Duration.minutes(5), statistic: Stats.SUM }),
      evaluationPeriods: 1,
      when: 'at least 1',
      missingData: TreatMissingData.NOT_BREACHING,
    });
  }

  /** A job without a schedule gets no NotRunning alarm: silence is its normal state. */
  private watchSilence(job: JobName, parts: StackParts, schedules: readonly JobSchedule[]): void {
    if (schedules.length === 0) return;
    // All schedules of a job count into one metric, so the most frequent one sets how long it may be silent.
    const minutes = Math.min(...schedules.map(({ schedule }) => silenceMinutes(schedule)));
    const { period, evaluationPeriods } = alarmWindow(minutes);
    const length = minutes % 60 === 0 ? `${minutes / 60} hours` : `${minutes} minutes`;
    parts.alarms.add(this, 'NotRunning', {
      name: `${job}-notrunning`,
      description: `${job} of ${parts.config.name} has not ended well once within ${length}.`,
      metric: new Metric({
        namespace: METRIC_NAMESPACE,
        metricName: FINISHED_METRIC,
        dimensionsMap: { Database: parts.config.name, Job: job },
        period,
        statistic: Stats.SUM,
      }),
      evaluationPeriods,
      when: 'below 1',
      missingData: TreatMissingData.BREACHING,
      actionsEnabled: !parts.paused,
    });
  }
}

function definedOnly(record: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
