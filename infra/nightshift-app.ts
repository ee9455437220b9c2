// The CDK app: one stack per database. app.ts and the tests build it, both with the feature flags of cdk.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, type AppProps } from 'aws-cdk-lib';
import type { DatabaseConfig } from './config.ts';
import { projectRoot } from './function-bundle.ts';
import { NightshiftStack } from './nightshift-stack.ts';

/** An app with the stacks of all databases; `now` decides whether a database is still paused. */
export function nightshiftApp(databases: readonly DatabaseConfig[], now: Date, props: AppProps = {}) {
  const app = new App({ ...props, context: { ...featureFlags(), ...props.context } });
  const stacks = databases.map((config) => new NightshiftStack(app, { config, now }));
  return { app, stacks };
}

/** The context of cdk.json, so that an app that the CLI did not start makes the same template. */
function featureFlags(): Record<string, unknown> {
  const cdk: unknown = JSON.parse(readFileSync(join(projectRoot, 'cdk.json'), 'utf8'));
  const context = typeof cdk === 'object' && cdk !== null ? Reflect.get(cdk, 'context') : undefined;
  return typeof context === 'object' && context !== null ? { ...context } : {};
}
