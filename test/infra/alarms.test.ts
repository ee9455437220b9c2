import { describe, expect, test } from 'vitest';
import { jobNames as functionJobs } from '../../functions/shared/jobs.ts';
import { METRIC_NAMESPACE as EMITTED_NAMESPACE, metrics } from '../../functions/shared/metrics.ts';
import { ageLimits } from '../../infra/age-limits.ts';
import type { DatabaseSettings } from '../../infra/config.ts';
import { jobNames } from '../../infra/job-name.ts';
import { checkConfig } from '../../infra/load-config.ts';
import { alarmWindow } from '../../infra/schedule-window.ts';
import { FINISHED_METRIC, METRIC_NAMESPACE } from '../../infra/scheduled-function.ts';
import { textOf } from './role-statements.ts';
import { now, ordersDatabase, propertiesOf, sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const synthesized = synthesize([sampleDatabase(), ordersDatabase()]);
const byHand = ['bootstrap', 'migrate'];
/** Their failures are those of the workflow. */
const bySteps = ['backup', 'verify', 'restore-drill', 'purge'];
const scheduled = jobNames.filter((job) => !byHand.includes(job));

/** The properties of an alarm by its name without the database. */
function alarm(database: string, name: string) {
  return propertiesOf(templateOf(synthesized, database), 'AWS::CloudWatch::Alarm').find(
    ({ AlarmName }) => AlarmName === `nightshift-${database}-${name}`,
  );
}

function alarmNames(database: string): string[] {
  return propertiesOf(templateOf(synthesized, database), 'AWS::CloudWatch::Alarm').map(({ AlarmName }) =>
    String(AlarmName).replace(`nightshift-${database}-`, ''),
  );
}

describe.each(['sample', 'orders'])('alarms of %s', (database) => {
  test.each(jobNames.filter((job) => !bySteps.includes(job)))(
    '%s fails: its Failures alarm goes off, and no data is not an alarm',
    (job) => {
      expect(alarm(database, `${job}-failures`)).toMatchObject({
        Namespace: 'AWS/Lambda',
        MetricName: 'Errors',
        Statistic: 'Sum',
        Threshold: 1,
        EvaluationPeriods: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        TreatMissingData: 'notBreaching',
        ActionsEnabled: true,
      });
    },
  );

  test.each([
    ['backup-failures', /^BackupWorkflow/],
    ['restore-drill-failures', /^RestoreDrillWorkflow/],
    ['purge-failures', /^PurgeWorkflow/],
    // Beside migrate-failures: its function is also invoked without the workflow.
    ['migrate-workflow-failures', /^MigrateWorkflow/],
  ])('%s: the workflow fails, runs out of time or is stopped: one alarm tells of all three', (name, id) => {
    const machines = Object.keys(templateOf(synthesized, database).findResources('AWS::StepFunctions::StateMachine'));
    const machine = machines.find((one) => id.test(one));
    const failures = alarm(database, name);
    const queries: { Expression?: string; MetricStat?: { Metric: object; Stat: string } }[] = failures?.Metrics;

    expect(failures).toMatchObject({
      Threshold: 1,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
      ActionsEnabled: true,
    });
    expect(queries.map(({ Expression }) => Expression).filter((one) => one !== undefined)).toEqual([
      'SUM([FILL(failed,0),FILL(timedout,0),FILL(aborted,0)])',
    ]);
    expect(queries.flatMap(({ MetricStat }) => (MetricStat ? [MetricStat] : []))).toEqual(
      ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'].map((metricName) =>
        expect.objectContaining({
          Stat: 'Sum',
          Metric: {
            Namespace: 'AWS/States',
            MetricName: metricName,
            Dimensions: [{ Name: 'StateMachineArn', Value: { Ref: machine } }],
          },
        }),
      ),
    );
    expect(alarm(database, 'verify-failures')).toBeUndefined();
  });

  test.each(scheduled)('%s does not run: its NotRunning alarm goes off, because no data is an alarm', (job) => {
    expect(alarm(database, `${job}-notrunning`)).toMatchObject({
      Namespace: 'Nightshift',
      MetricName: 'JobFinished',
      Dimensions: [
        { Name: 'Database', Value: database },
        { Name: 'Job', Value: job },
      ],
      Statistic: 'Sum',
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
      ActionsEnabled: true,
    });
  });

  test('jobs that are started by hand: they have no NotRunning alarm, because silence is their normal state', () => {
    for (const job of byHand) expect(alarm(database, `${job}-notrunning`)).toBeUndefined();
  });

  test.each([
    ['backup', 27],
    ['verify', 27],
    ['purge', 27],
    ['expire', 27],
    ['report', 27],
    ['restore-drill', 75],
  ])('%s: its NotRunning alarm looks back over the interval and 3 hours of slack, %i hours', (job, hours) => {
    expect(alarm(database, `${job}-notrunning`)).toMatchObject({ Period: 3600, EvaluationPeriods: hours });
  });

  test('health with a tier each minute: its NotRunning alarm looks back 15 minutes', () => {
    expect(alarm(database, 'health-notrunning')).toMatchObject({ Period: 300, EvaluationPeriods: 3 });
  });

  test('every alarm: it stays within what CloudWatch can look back over', () => {
    const tooLong = propertiesOf(templateOf(synthesized, database), 'AWS::CloudWatch::Alarm').filter(
      ({ Period, EvaluationPeriods }) => Period * EvaluationPeriods > (Period < 3_600 ? 86_400 : 7 * 86_400),
    );

    expect(tooLong).toEqual([]);
  });

  test('every alarm: it has a description with the place in the runbook, and tells the topic of both changes', () => {
    const names = alarmNames(database);
    const [topic] = Object.keys(templateOf(synthesized, database).findResources('AWS::SNS::Topic'));

    expect(names).toHaveLength(database === 'orders' ? 27 : 26);
    for (const name of names) {
      const { AlarmDescription, AlarmActions, OKActions } = alarm(database, name);
      expect(AlarmDescription).toMatch(new RegExp(`^.{20,}\\. Runbook: docs/runbook\\.md#${name}$`));
      expect(AlarmActions).toEqual([{ Ref: topic }]);
      expect(OKActions).toEqual([{ Ref: topic }]);
    }
  });

  test.each(['undelivered-events', 'failed-events'])('an event lands in a queue (%s): an alarm says so', (name) => {
    expect(alarm(database, name)).toMatchObject({
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Statistic: 'Maximum',
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
    });
  });

  test('a critical health check in a run that ends well: an alarm says so', () => {
    expect(alarm(database, 'health-critical')).toMatchObject({ MetricName: 'HealthCritical', Statistic: 'Maximum' });
  });

  test.each([
    ['backup-too-old', 'BackupAgeHours', 28],
    ['rpo-not-met', 'RpoHours', database === 'orders' ? 40 : 31],
    ['drill-too-old', 'DrillAgeHours', 76],
    ['migration-half-done', 'MigrationHalfDoneHours', database === 'orders' ? 12 : 6],
  ])('%s: %s of health is above its limit, or nobody has looked', (name, metric, hours) => {
    expect(alarm(database, name)).toMatchObject({
      Namespace: 'Nightshift',
      MetricName: metric,
      Dimensions: [
        { Name: 'Database', Value: database },
        { Name: 'Job', Value: 'health' },
      ],
      Statistic: 'Maximum',
      Threshold: hours,
      ComparisonOperator: 'GreaterThanThreshold',
      // The quarter-hour tier may be silent for 29 minutes.
      Period: 300,
      EvaluationPeriods: 6,
      TreatMissingData: 'breaching',
      ActionsEnabled: true,
    });
    expect(alarm(database, name)?.['AlarmDescription']).toContain(`${hours} hours, or its age could not be read`);
  });

  test('purge-lag: a policy waits for longer than three nights, or nobody has looked', () => {
    expect(alarm(database, 'purge-lag')).toMatchObject({
      Namespace: 'Nightshift',
      MetricName: 'PurgeLagSeconds',
      Dimensions: [
        { Name: 'Database', Value: database },
        { Name: 'Job', Value: 'health' },
      ],
      Statistic: 'Maximum',
      Threshold: 72 * 3_600,
      ComparisonOperator: 'GreaterThanThreshold',
      Period: 300,
      EvaluationPeriods: 6,
      TreatMissingData: 'breaching',
      ActionsEnabled: true,
    });
    expect(alarm(database, 'purge-lag')?.['AlarmDescription']).toContain('72 hours, or it could not be read');
  });

  test('purge-backlog: rows are left over three periods, each as long as health may be silent', () => {
    const rows = database === 'orders' ? 5_000 : 100_000;

    expect(alarm(database, 'purge-backlog')).toMatchObject({
      Namespace: 'Nightshift',
      MetricName: 'PurgeBacklogRows',
      Statistic: 'Maximum',
      Threshold: rows,
      ComparisonOperator: 'GreaterThanThreshold',
      // The quarter-hour tier may be silent for 29 minutes.
      Period: 1_800,
      EvaluationPeriods: 3,
      TreatMissingData: 'breaching',
    });
    expect(alarm(database, 'purge-backlog')?.['AlarmDescription']).toContain(`more than ${rows} rows`);
  });

  test('replica-copy-too-old: it is there where a replica is, and nowhere else', () => {
    const expected = { MetricName: 'ReplicaCopyAgeHours', Threshold: 46, TreatMissingData: 'breaching' };

    expect(alarm(database, 'replica-copy-too-old')).toEqual(
      database === 'orders' ? expect.objectContaining(expected) : undefined,
    );
  });

  test('a drill was not ok: the alarm says so until one is ok again, whatever comes between', () => {
    expect(alarm(database, 'drill-failed')).toMatchObject({
      MetricName: 'DrillFailed',
      Dimensions: [
        { Name: 'Database', Value: database },
        { Name: 'Job', Value: 'restore-drill' },
      ],
      Statistic: 'Maximum',
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'ignore',
    });
  });

  test('the topic: its key lets CloudWatch encrypt, and its policy lets alarms of this database publish', () => {
    const template = templateOf(synthesized, database);
    const [topic] = propertiesOf(template, 'AWS::SNS::Topic');
    const keyId = textOf(topic?.KmsMasterKeyId).slice(1).split('.')[0] ?? '';
    const keyStatements = template.findResources('AWS::KMS::Key')[keyId]?.['Properties'].KeyPolicy.Statement;
    const [policy] = propertiesOf(template, 'AWS::SNS::TopicPolicy');

    expect(keyStatements).toContainEqual({
      Sid: 'CloudWatchMayPublish',
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      Resource: '*',
    });
    const statements = policy?.PolicyDocument.Statement;
    expect(statements).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Condition: expect.objectContaining({
          ArnLike: { 'aws:SourceArn': expect.stringContaining(`:alarm:nightshift-${database}-*`) },
        }),
      }),
    );
    expect(statements).toContainEqual(
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    );
  });

  test('the addresses of the config: each is subscribed', () => {
    expect(propertiesOf(templateOf(synthesized, database), 'AWS::SNS::Subscription')).toEqual([
      expect.objectContaining({ Protocol: 'email', Endpoint: 'database-team@example.com' }),
    ]);
  });
});

test('a job that is not scheduled: it has no NotRunning alarm and no schedule, but still its Failures alarm', () => {
  const { schedules } = sampleDatabase();
  const template = templateOf(synthesize([sampleDatabase({ schedules: { ...schedules, purge: null } })]), 'sample');

  const names = propertiesOf(template, 'AWS::CloudWatch::Alarm').map(({ AlarmName }) => AlarmName);
  expect(names).toContain('nightshift-sample-purge-failures');
  for (const absent of ['purge-notrunning', 'purge-lag']) expect(names).not.toContain(`nightshift-sample-${absent}`);
  expect(propertiesOf(template, 'AWS::Scheduler::Schedule').map(({ Name }) => Name)).not.toContain('purge');
});

test('drills that are made by hand only: their age has no alarm, unless the config gives a limit', () => {
  const { schedules, alarms } = sampleDatabase();
  const drillByHand = { schedules: { ...schedules, restoreDrill: null } };
  const withLimit = { ...drillByHand, alarms: { ...alarms, drillMaxAgeHours: 400 } };
  const found = (more: object) =>
    propertiesOf(templateOf(synthesize([sampleDatabase(more)]), 'sample'), 'AWS::CloudWatch::Alarm').filter(
      ({ AlarmName }) => AlarmName === 'nightshift-sample-drill-too-old',
    );

  expect(found(drillByHand)).toEqual([]);
  expect(found(withLimit)).toEqual([expect.objectContaining({ Threshold: 400 })]);
});

describe('ageLimits', () => {
  const limitsOf = (more: Partial<DatabaseSettings>) => {
    const { databases } = checkConfig({ databases: [sampleDatabase(more)] }, now);
    const [database] = databases ?? [];
    if (database === undefined) throw new Error('the config is wrong');
    return ageLimits(database);
  };
  const { schedules, alarms } = sampleDatabase();
  const replica = {
    bucketArn: 'arn:aws:s3:::copies',
    keyArn: 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555',
  };

  test('nothing is configured: interval, slack and window; for what is read back the slack twice', () => {
    expect(limitsOf({})).toEqual({
      backup: 28,
      verified: 31,
      drill: 76,
      replica: undefined,
      purgeLag: 72,
    });
  });

  test('a sharp schedule every 2 days with more slack, and a replica: the limits follow', () => {
    const backup = { everyDays: 2, at: '02:00', slackHours: 5, flexibleMinutes: 0 };

    expect(limitsOf({ schedules: { ...schedules, backup }, replica })).toMatchObject({
      backup: 53,
      verified: 58,
      replica: 64,
    });
  });

  test('the config gives limits: they are taken, and what is left out follows from them', () => {
    const given = { ...alarms, backupMaxAgeHours: 10, drillMaxAgeHours: 100, purgeMaxLagHours: 50 };

    expect(limitsOf({ alarms: given, replica })).toEqual({
      backup: 10,
      verified: 13,
      drill: 100,
      replica: 19,
      purgeLag: 50,
    });
  });
});

describe('alarmWindow', () => {
  test.each([
    [15, 5, 3],
    [16, 5, 4],
    [24 * 60, 5, 288],
    [24 * 60 + 1, 60, 25],
    [7 * 24 * 60, 60, 168],
  ])('a silence of %i minutes: periods of %i minutes, %i of them', (silence, period, count) => {
    const window = alarmWindow(silence);

    expect([window.period.toMinutes(), window.evaluationPeriods]).toEqual([period, count]);
  });

  test('a silence longer than 7 days: it is refused', () => {
    expect(() => alarmWindow(7 * 24 * 60 + 1)).toThrow('longer than the 7 days');
  });
});

test('names that infra repeats because it may not import them: they equal those of the functions', () => {
  expect([...jobNames]).toEqual([...functionJobs]);
  expect(METRIC_NAMESPACE).toBe(EMITTED_NAMESPACE);
  expect(Object.keys(metrics)).toEqual(
    expect.arrayContaining([
      FINISHED_METRIC,
      'HealthCritical',
      'BackupAgeHours',
      'RpoHours',
      'DrillAgeHours',
      'ReplicaCopyAgeHours',
      'DrillFailed',
      'MigrationHalfDoneHours',
      'PurgeLagSeconds',
      'PurgeBacklogRows',
    ]),
  );
});
