// The two places where an event can be lost, each with a queue that keeps it and an alarm on that queue:
// the schedule could not hand it to the function, or the function failed on it for the last time.
import { Duration } from 'aws-cdk-lib';
import { Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';

export class EventQueues extends Construct {
  /** Dead-letter queue of the schedules. */
  readonly undelivered: Queue;
  /** Failure destination of the functions. */
  readonly failed: Queue;

  constructor(scope: Construct, id: string, props: { database: string; alarms: Alarms }) {
    super(scope, id);
    this.undelivered = this.queue('Undelivered');
    this.failed = this.queue('Failed');
    this.watch(props.alarms, this.undelivered, 'undelivered-events', 'A schedule could not start its function');
    this.watch(props.alarms, this.failed, 'failed-events', 'A function failed on an event for the last time');
  }

  private queue(id: string): Queue {
    return new Queue(this, id, {
      // Managed by SQS: a key of our own would need grants for EventBridge Scheduler and Lambda, and events hold no secret.
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
  }

  private watch(alarms: Alarms, queue: Queue, name: string, what: string): void {
    alarms.add(queue, 'Alarm', {
      name,
      description: `${what}: the event lies in queue ${queue.node.id} for 14 days.`,
      metric: queue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(5),
        statistic: Stats.MAXIMUM,
      }),
      evaluationPeriods: 1,
      when: 'at least 1',
      // An empty queue that nobody uses sends no data at all.
      missingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
