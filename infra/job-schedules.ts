// The EventBridge schedules of one job, and the role that lets them start its function or workflow and no other.
// scheduled-function.ts and backup-workflow.ts call it.
import { Duration, TimeZone } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  ContextAttribute,
  type IScheduleTarget,
  Schedule,
  ScheduleExpression,
  ScheduleTargetInput,
  TimeWindow,
} from 'aws-cdk-lib/aws-scheduler';
import {
  LambdaInvoke,
  type ScheduleTargetBaseProps,
  StepFunctionsStartExecution,
} from 'aws-cdk-lib/aws-scheduler-targets';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { JobName } from './job-name.ts';
import type { DailySchedule, FrequentSchedule } from './schedule-config.ts';
import { isDaily } from './schedule-window.ts';
import type { StackParts } from './stack-parts.ts';

export interface JobSchedule {
  /** Name within the schedule group of the database. */
  name: string;
  schedule: DailySchedule | FrequentSchedule;
  /** What the event says besides job and scheduledTime. */
  input?: Readonly<Record<string, string | number | boolean>>;
}

/** What a schedule starts, and the one permission that it needs for it. */
export interface Started {
  permission: PolicyStatement;
  target(props: ScheduleTargetBaseProps): IScheduleTarget;
}

/** A function as the target of schedules. */
export function startFunction(handler: IFunction): Started {
  return {
    permission: new PolicyStatement({
      sid: 'StartFunction',
      actions: ['lambda:InvokeFunction'],
      resources: [handler.functionArn],
    }),
    target: (props) => new LambdaInvoke(handler, props),
  };
}

/** A state machine as the target of schedules. */
export function startWorkflow(machine: IStateMachine): Started {
  return {
    permission: new PolicyStatement({
      sid: 'StartWorkflow',
      actions: ['states:StartExecution'],
      resources: [machine.stateMachineArn],
    }),
    target: (props) => new StepFunctionsStartExecution(machine, props),
  };
}

/** Makes the schedules of a job; none when the list is empty. */
export function jobSchedules(
  scope: Construct,
  parts: StackParts,
  started: Started,
  job: JobName,
  schedules: readonly JobSchedule[],
): Schedule[] {
  if (schedules.length === 0) return [];
  const role = schedulerRole(scope, parts, started);
  return schedules.map(({ name, schedule, input }) => {
    const target = started.target({
      // CDK would add `<function>:*`, every version and alias.
      role: role.withoutPolicyUpdates(),
      deadLetterQueue: parts.queues.undelivered,
      input: ScheduleTargetInput.fromObject({
        job,
        // The time the schedule meant: the same for every delivery of one event, so a job can tell a repeated one.
        scheduledTime: ContextAttribute.scheduledTime,
        ...input,
      }),
      ...deliveryLimits(schedule),
    });
    return new Schedule(new Construct(scope, `${name}-schedule`), 'Schedule', {
      scheduleName: name,
      scheduleGroup: parts.scheduleGroup,
      description: `Nightshift ${parts.config.name}: starts ${job}`,
      schedule: expressionOf(schedule, TimeZone.of(parts.config.schedules.timeZone)),
      timeWindow:
        isDaily(schedule) && schedule.flexibleMinutes > 0
          ? TimeWindow.flexible(Duration.minutes(schedule.flexibleMinutes))
          : TimeWindow.off(),
      enabled: !parts.paused,
      target,
    });
  });
}

/** How long and how often the delivery is tried. A check of a past minute is worth nothing; a backup is, for an hour. */
function deliveryLimits(schedule: DailySchedule | FrequentSchedule) {
  return isDaily(schedule)
    ? { retryAttempts: 3, maxEventAge: Duration.hours(1) }
    : { retryAttempts: 1, maxEventAge: Duration.minutes(Math.min(schedule.everyMinutes, 5)) };
}

function expressionOf(schedule: DailySchedule | FrequentSchedule, timeZone: TimeZone): ScheduleExpression {
  if (!isDaily(schedule)) return ScheduleExpression.rate(Duration.minutes(schedule.everyMinutes));
  const [hour = '', minute = ''] = schedule.at.split(':').map((digits) => String(Number(digits)));
  const day = schedule.everyDays === 1 ? '*' : `1/${schedule.everyDays}`;
  return ScheduleExpression.cron({ minute, hour, day, month: '*', year: '*', timeZone });
}

function schedulerRole(scope: Construct, parts: StackParts, started: Started): Role {
  return new Role(scope, 'SchedulerRole', {
    description: `Nightshift ${parts.config.name}: starts ${scope.node.id}`,
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      // Only for schedules of this group: no other account can make the service use the role.
      conditions: {
        StringEquals: {
          'aws:SourceAccount': parts.scheduleGroup.env.account,
          'aws:SourceArn': parts.scheduleGroup.scheduleGroupArn,
        },
      },
    }),
    inlinePolicies: {
      start: new PolicyDocument({
        statements: [
          started.permission,
          new PolicyStatement({
            sid: 'KeepUndeliveredEvents',
            actions: ['sqs:SendMessage'],
            resources: [parts.queues.undelivered.queueArn],
          }),
        ],
      }),
    },
  });
}
