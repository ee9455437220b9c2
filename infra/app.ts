// What the CDK CLI runs (cdk.json): reads the config and synthesizes one stack per database.
// A wrong config prints one line per problem, exits 2 and writes nothing. `-c nag=true` runs cdk-nag as well.
import { Validations } from 'aws-cdk-lib';
import { loadConfig } from './load-config.ts';
import { nightshiftApp } from './nightshift-app.ts';

const BAD_INPUT = 2;

const now = new Date();
const path = process.env['NIGHTSHIFT_CONFIG']?.trim() || 'nightshift.config.ts';
const { databases, problems } = await loadConfig(path, now);
if (problems) {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = BAD_INPUT;
} else {
  const { app } = nightshiftApp(databases, now);
  if (app.node.tryGetContext('nag') === 'true') {
    // Imported on demand: it takes seconds, which every other synth would pay.
    const { AwsSolutionsChecks } = await import('cdk-nag');
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
  }
  app.synth();
}
