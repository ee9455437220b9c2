// Synthesizes stacks in this process, without bundling, for the tests of the template. Leaves no folder behind.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { SynthesisMessageLevel } from 'aws-cdk-lib/cx-api';
import { vi } from 'vitest';
import type { DatabaseSettings } from '../../infra/config.ts';
import { checkConfig } from '../../infra/load-config.ts';
import { nightshiftApp } from '../../infra/nightshift-app.ts';
import { config } from '../../nightshift.config.ts';

/** A day on which the sample is not paused; every test that needs a time uses this one. */
export const now = new Date('2026-11-22T12:00:00Z');

/** The one database of nightshift.config.ts, with the settings given replaced. */
export function sampleDatabase(replaced: Partial<DatabaseSettings> = {}): DatabaseSettings {
  const [sample] = config.databases;
  if (sample === undefined) throw new Error('nightshift.config.ts names no database');
  return { ...sample, ...replaced };
}

/** A second database: another account's server, everything optional switched on. */
export function ordersDatabase(): DatabaseSettings {
  return sampleDatabase({
    name: 'orders',
    server: { host: 'orders.abc.eu-west-1.rds.amazonaws.com', port: 5433, dbname: 'shop' },
    adminSecretArn: 'arn:aws:secretsmanager:eu-west-1:444455556666:secret:orders-admin-AbCdEf',
    adminSecretKeyArn: 'arn:aws:kms:eu-west-1:444455556666:key/11111111-2222-3333-4444-555555555555',
    vpc: {
      vpcId: 'vpc-0fedcba9876543210',
      availabilityZones: ['eu-west-1a'],
      privateSubnetIds: ['subnet-0fedcba9876543210'],
      databaseSecurityGroupId: 'sg-0fedcba9876543210',
    },
    backup: { postgresClient: { layerArn: 'arn:aws:lambda:eu-west-1:444455556666:layer:postgres-client:7' } },
    health: { reservedConcurrency: 3, lockTimeoutMs: 1_000, statementTimeoutMs: 20_000 },
    alarms: {
      emails: ['database-team@example.com'],
      verifiedMaxAgeHours: 40,
      halfDoneMaxAgeHours: 12,
      purgeMaxBacklogRows: 5_000,
    },
    replica: {
      bucketArn: 'arn:aws:s3:::orders-copies',
      keyArn: 'arn:aws:kms:eu-central-1:777788889999:key/66666666-7777-8888-9999-000000000000',
      account: '777788889999',
    },
    tags: { team: 'shop' },
    tracing: true,
    logRetentionDays: 90,
  });
}

/** A server of its own for the drills of a database. */
export const drillTarget = {
  host: 'drill.abc.eu-central-1.rds.amazonaws.com',
  port: 5434,
  secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!db-drill-AbCdEf',
  secretKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/22222222-2222-3333-4444-555555555555',
  securityGroupId: 'sg-0aaaaaaaaaaaaaaaa',
  instanceId: 'drill-1',
} satisfies NonNullable<NonNullable<DatabaseSettings['restoreDrill']>['target']>;

interface Synthesized {
  /** By name of the database. */
  templates: Record<string, Template>;
  /** What synth warned about, by name of the database. */
  warnings: Record<string, string[]>;
}

/** The templates of a config, with the feature flags of cdk.json. */
export function synthesize(databases: DatabaseSettings[], at = now): Synthesized {
  const checked = checkConfig({ databases }, at);
  if (checked.problems) throw new Error(checked.problems.join('\n'));
  const outdir = mkdtempSync(join(tmpdir(), 'nightshift-synth-'));
  // The report of the built-in validation goes to the console, which tests keep for their own output.
  const silenced = vi.spyOn(console, 'error').mockReturnValue();
  try {
    const { app } = nightshiftApp(checked.databases, at, { outdir, context: { 'aws:cdk:bundling-stacks': [] } });
    const assembly = app.synth();
    const templates: Synthesized['templates'] = {};
    const warnings: Synthesized['warnings'] = {};
    for (const stack of assembly.stacks) {
      const name = stack.stackName.replace('Nightshift-', '');
      templates[name] = Template.fromJSON(JSON.parse(readFileSync(stack.templateFullPath, 'utf8')));
      warnings[name] = stack.messages
        .filter(({ level }) => level === SynthesisMessageLevel.WARNING)
        .map(({ entry }) => (typeof entry.data === 'string' ? entry.data : JSON.stringify(entry.data)));
    }
    return { templates, warnings };
  } finally {
    silenced.mockRestore();
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The template of one database; throws when the config did not make it. */
export function templateOf(synthesized: Synthesized, name: string): Template {
  const template = synthesized.templates[name];
  if (template === undefined) throw new Error(`no stack was made for database "${name}"`);
  return template;
}

/** The properties of all resources of a type. */
export function propertiesOf(template: Template, type: string) {
  return Object.values(template.findResources(type)).map(({ Properties }) => Properties);
}
