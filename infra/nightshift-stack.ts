// The stack of one database: bucket, access, alarms, queues and one function per job, and the workflows
// of backup, restore-drill, purge and migrate. No stack refers to another.
import { Annotations, CfnOutput, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { ageAlarms } from './age-alarms.ts';
import { Alarms } from './alarms.ts';
import { backupFunction } from './backup-function.ts';
import { BackupStore } from './backup-store.ts';
import { backupWorkflow } from './backup-workflow.ts';
import { bootstrapFunction } from './bootstrap-function.ts';
import { type DatabaseConfig, isPaused, placeOfDatabase } from './config.ts';
import { DatabaseAccess } from './database-access.ts';
import { EventQueues } from './event-queues.ts';
import { expireFunction } from './expire-function.ts';
import { healthFunction } from './health-function.ts';
import { migrateAtDeploy } from './migrate-at-deploy.ts';
import { migrateFunction } from './migrate-function.ts';
import { migrateWorkflow } from './migrate-workflow.ts';
import { postgresClientLayer } from './postgres-client-layer.ts';
import { purgeAlarms } from './purge-alarms.ts';
import { purgeFunction } from './purge-function.ts';
import { purgeWorkflow } from './purge-workflow.ts';
import { reportFunction } from './report-function.ts';
import { restoreDrillFunction } from './restore-drill-function.ts';
import { restoreDrillWorkflow } from './restore-drill-workflow.ts';
import type { StackParts } from './stack-parts.ts';
import { verifyFunction } from './verify-function.ts';

export class NightshiftStack extends Stack {
  constructor(scope: Construct, props: { config: DatabaseConfig; now: Date }) {
    const { config, now } = props;
    super(scope, `Nightshift-${config.name}`, {
      env: placeOfDatabase(config),
      description: `Nightshift: the night-shift DBA of database ${config.name}`,
      terminationProtection: true,
      tags: { ...config.tags, 'nightshift:database': config.name },
    });
    for (const [name, value] of Object.entries({ ...config.tags, 'nightshift:database': config.name }))
      Tags.of(this).add(name, value);

    const store = new BackupStore(this, 'BackupStore', {
      database: config.name,
      replica: config.replica,
      purgeArchiveDays: config.purge.archiveKeepDays,
      ...config.backupStore,
    });
    const access = new DatabaseAccess(this, 'DatabaseAccess', { config });
    const alarms = new Alarms(this, 'Alarms', { database: config.name, emails: config.alarms.emails });
    const queues = new EventQueues(this, 'EventQueues', { database: config.name, alarms });
    const scheduleGroup = new ScheduleGroup(this, 'Schedules', {
      scheduleGroupName: `nightshift-${config.name}`,
      // It holds nothing of value, and one that is left would stand in the way of a new stack of this name.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const paused = isPaused(config, now);
    const clientLayer = postgresClientLayer(this, config);
    const parts: StackParts = { config, store, access, alarms, queues, scheduleGroup, clientLayer, paused };

    bootstrapFunction(this, parts);
    const migrationWorkflow = migrateWorkflow(this, parts, migrateFunction(this, parts));
    if (config.migrate.atDeploy) migrateAtDeploy(this, parts);
    const backup = backupFunction(this, parts);
    const verify = verifyFunction(this, parts);
    const workflow = backupWorkflow(this, parts, { backup, verify });
    const drillWorkflow = restoreDrillWorkflow(this, parts, restoreDrillFunction(this, parts));
    const purgeMachine = purgeWorkflow(this, parts, purgeFunction(this, parts)).machine;
    expireFunction(this, parts);
    healthFunction(this, parts);
    reportFunction(this, parts);
    ageAlarms(this, parts);
    purgeAlarms(this, parts);

    this.output('BackupBucketName', store.bucket.bucketName, 'Backups, run records and reports');
    this.output('BackupWorkflowArn', workflow.machine.stateMachineArn, 'Start it for a backup with its verification');
    this.output('DrillWorkflowArn', drillWorkflow.machine.stateMachineArn, 'Start it for a restore drill');
    this.output('PurgeWorkflowArn', purgeMachine.stateMachineArn, 'Start it for a purge');
    this.output(
      'MigrateWorkflowArn',
      migrationWorkflow.machine.stateMachineArn,
      'Start it for migrations that may take long',
    );
    this.output('AlarmTopicArn', alarms.topic.topicArn, 'Every alarm reports here');
    this.warn(config, paused);
  }

  private output(id: string, value: string, description: string): CfnOutput {
    return new CfnOutput(this, id, { value, description });
  }

  /** Says at every synth what is allowed but leaves the database less protected than it looks. */
  private warn(config: DatabaseConfig, paused: boolean): void {
    const warn = (id: string, text: string) => Annotations.of(this).addWarningV2(`nightshift:${id}`, text);
    if (paused)
      warn(
        'paused',
        `${config.name} is paused until ${config.pausedUntil}: no schedule starts and no alarm on silence or age reports. They start again with the first deploy on or after that date, not by themselves`,
      );
    if (config.migrate.atDeploy)
      warn(
        'migrate-at-deploy',
        `${config.name}: migrate.atDeploy applies new migration files while it is deployed. Bootstrap must have been run before, or the deployment fails and is rolled back; a rollback reverts no migration`,
      );
    if (config.alarms.emails.length === 0)
      warn(
        'nobody-told',
        `${config.name}: alarms.emails is empty, so alarms reach nobody unless you subscribe to the topic`,
      );
    if (!config.backup.postgresClient)
      warn(
        'no-client-tools',
        `${config.name}: backup.postgresClient names no layer, so backup, verify and restore-drill find no client programs in Lambda and fail, and migrate cannot rehearse`,
      );
    if ((config.verify.samples ?? 1) > 1)
      warn(
        'samples-verify-late',
        `${config.name}: verify.samples is ${config.verify.samples}, so a backup is verified, and fills a place of the expiry policy, only after so many verifications of it. Until then expire deletes nothing for it`,
      );
    if (config.unsafeDatabaseTls !== undefined)
      warn(
        'unsafe-tls',
        `${config.name}: unsafeDatabaseTls is "${config.unsafeDatabaseTls}", so the server is not proven`,
      );
  }
}
