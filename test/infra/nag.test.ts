import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test, vi } from 'vitest';
import type { DatabaseSettings } from '../../infra/config.ts';
import { checkConfig } from '../../infra/load-config.ts';
import { nightshiftApp } from '../../infra/nightshift-app.ts';
import { now, sampleDatabase } from './synthesized.ts';

interface Report {
  pluginReports: { pluginName: string; violations: { ruleName: string; violatingConstructs: unknown[] }[] }[];
}

/** What cdk-nag finds, as rule → number of resources. */
function findings(more: Partial<DatabaseSettings> = {}): Record<string, number> {
  const { databases } = checkConfig({ databases: [sampleDatabase(more)] }, now);
  const outdir = mkdtempSync(join(tmpdir(), 'nightshift-nag-'));
  const silenced = vi.spyOn(console, 'error').mockReturnValue();
  try {
    const { app } = nightshiftApp(databases ?? [], now, { outdir, context: { 'aws:cdk:bundling-stacks': [] } });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).toThrow(/AwsSolutions|Validation failed/);
    const report: Report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8'));
    const found: Record<string, number> = {};
    for (const { violations } of report.pluginReports.filter(({ pluginName }) => pluginName === 'AwsSolutions')) {
      for (const { ruleName, violatingConstructs } of violations) {
        const rule = ruleName.replace(/<BackupStoreBucket\w+\.Arn>/, 'BUCKET');
        found[rule] = (found[rule] ?? 0) + violatingConstructs.length;
      }
    }
    return found;
  } finally {
    silenced.mockRestore();
    rmSync(outdir, { recursive: true, force: true });
  }
}

const EXECUTION = 'arn:aws:states:eu-central-1:111122223333:execution:nightshift-sample-backup';

test('cdk-nag on the sample: it finds what is known and accepted here, and nothing else', { timeout: 60_000 }, () => {
  const found = findings();

  process.stdout.write(`cdk-nag findings: ${JSON.stringify(found, null, 2)}\n`);
  expect(found).toEqual({
    // No access log bucket: see backup-store.ts.
    'AwsSolutions-S1': 1,
    // The passwords of the roles do not rotate by themselves yet; bootstrap sets them anew.
    'AwsSolutions-SMG4': 5,
    // The two queues are themselves where lost events end; an alarm watches each.
    'AwsSolutions-SQS3': 2,
    // Network interfaces of the six functions in the VPC: see wildcard-actions.ts.
    // and of the four workflows, which deliver their logs: these actions know no resource.
    'AwsSolutions-IAM5[Resource::*]': 10,
    // The log of a workflow tells errors only: what was done is in the logs of the functions.
    'AwsSolutions-SF1': 4,
    // X-Ray is a setting (tracing) and off in the sample.
    'AwsSolutions-SF2': 4,
    // The executions of the items of a distributed map: their names are made by Step Functions.
    [`AwsSolutions-IAM5[Resource::${EXECUTION}/*]`]: 1,
    [`AwsSolutions-IAM5[Resource::${EXECUTION}:*]`]: 1,
    // Keys of objects that do not exist yet, below the prefix of one database.
    'AwsSolutions-IAM5[Resource::BUCKET/sample/*/archive/*]': 3,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/*/drilled/*]': 4,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/*/globals.sql]': 2,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/*/inventory.json]': 3,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/*/manifest.json]': 6,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/*/plan.json]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/*/verified/*]': 5,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/*/work/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/2???????T??????Z*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/2???????T??????Z*/archive/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/claims/*]': 2,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/health/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/purge-archive/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/purged/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/reports/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/backup/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/bootstrap/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/expire/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/health/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/migrate/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/purge/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/report/*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/restore-drill/*]': 2,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/verify/*]': 1,
  });
});

test('cdk-nag on a database that migrates with its deployment: it finds one more function like the others', {
  timeout: 120_000,
}, () => {
  const [without, found] = [findings(), findings({ migrate: { atDeploy: true } })];
  const more = Object.entries(found)
    .map(([rule, count]) => [rule, count - (without[rule] ?? 0)])
    .filter(([, count]) => count !== 0);

  // The function that CDK makes for its triggers is no construct that cdk-nag looks at: test/infra/permissions.test.ts does.
  expect(Object.fromEntries(more)).toEqual({
    'AwsSolutions-IAM5[Resource::*]': 1,
    'AwsSolutions-IAM5[Resource::BUCKET/sample/runs/migrate/*]': 1,
  });
});
