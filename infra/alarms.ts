// The topic that every alarm of one database reports to, and the one way to make an alarm.
// An alarm without a description and a place in the runbook cannot be made.
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, type TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

interface AlarmProps {
  /** In kebab case; also the heading in docs/runbook.md. */
  name: string;
  description: string;
  metric: IMetric;
  evaluationPeriods: number;
  /** The alarm goes off when the metric is at least 1, below 1, or above a limit. */
  when: 'at least 1' | 'below 1' | { above: number };
  missingData: TreatMissingData;
  actionsEnabled?: boolean;
}

export class Alarms extends Construct {
  readonly topic: Topic;
  private readonly database: string;

  constructor(scope: Construct, id: string, props: { database: string; emails: readonly string[] }) {
    super(scope, id);
    this.database = props.database;
    const key = new Key(this, 'TopicKey', {
      description: `Nightshift ${props.database}: alarm messages`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com');
    // CDK does not add this, and without it every alarm is lost in silence: CloudWatch could not encrypt the message.
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'CloudWatchMayPublish',
        principals: [cloudWatch],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
      }),
    );
    this.topic = new Topic(this, 'Topic', {
      displayName: `Nightshift ${props.database}`,
      masterKey: key,
      enforceSSL: true,
    });
    const { account, region, partition } = Stack.of(this);
    // A policy of our own replaces the default one, which lets the account's own alarms publish.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsMayPublish',
        principals: [cloudWatch],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:${this.nameOf('*')}` },
        },
      }),
    );
    for (const email of props.emails) this.topic.addSubscription(new EmailSubscription(email));
  }

  private nameOf(alarm: string): string {
    return `nightshift-${this.database}-${alarm}`;
  }

  /** Makes an alarm below `scope` that reports to the topic when it goes off and when it is over. */
  add(scope: Construct, id: string, props: AlarmProps): Alarm {
    const alarm = new Alarm(scope, id, {
      alarmName: this.nameOf(props.name),
      alarmDescription: `${props.description} Runbook: docs/runbook.md#${props.name}`,
      metric: props.metric,
      evaluationPeriods: props.evaluationPeriods,
      ...boundaryOf(props.when),
      treatMissingData: props.missingData,
      actionsEnabled: props.actionsEnabled ?? true,
    });
    const notify = new SnsAction(this.topic);
    alarm.addAlarmAction(notify);
    alarm.addOkAction(notify);
    return alarm;
  }
}

function boundaryOf(when: AlarmProps['when']) {
  if (typeof when === 'object')
    return { threshold: when.above, comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD };
  const comparisonOperator =
    when === 'below 1' ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD;
  return { threshold: 1, comparisonOperator };
}
