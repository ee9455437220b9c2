// The app as a user runs it: the real CLI with bundling, without credentials and without network, and a wrong config.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot, sqlFolders } from '../../infra/function-bundle.ts';
import { type JobName, jobNames } from '../../infra/job-name.ts';
import { sampleDatabase } from './synthesized.ts';

/** The most JavaScript that a function may load at a cold start. */
const MOST_KIB = 700;
/**
 * migrate lints, rehearses and certifies, is invoked by hand, and loads 1.7 MB of the server's parser beside it. purge archives
 * like a backup and signs with KMS; it runs once a night.
 */
const MOST_KIB_OF: Partial<Record<JobName, number>> = { migrate: 850, purge: 850 };

const folder = mkdtempSync(join(tmpdir(), 'nightshift-cli-'));
const out = join(folder, 'out');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Neither AWS variables nor a home with credentials, and a proxy that nobody listens on in place of the network. */
function offlineEnvironment(more: Record<string, string> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(AWS_|CDK_|NIGHTSHIFT_|NODE_OPTIONS|VITEST)/.test(entry[0]),
  );
  const nowhere = 'http://127.0.0.1:9';
  return {
    ...Object.fromEntries(kept),
    HOME: folder,
    PATH: `${join(projectRoot, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    AWS_EC2_METADATA_DISABLED: 'true',
    npm_config_update_notifier: 'false',
    ...more,
  };
}

function runApp(config: unknown, outdir: string) {
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify(config));
  const env = offlineEnvironment({ NIGHTSHIFT_CONFIG: path, CDK_OUTDIR: outdir });
  return spawnSync('node', ['infra/app.ts'], { cwd: projectRoot, env, encoding: 'utf8' });
}

describe('a wrong config', () => {
  test('three mistakes: three lines, exit code 2, and nothing is synthesized', () => {
    const outdir = join(folder, 'refused');
    const { schedules, ...sample } = sampleDatabase({
      connectionBudget: 0,
      expire: { ...sampleDatabase().expire, keepAtLeast: 1.5 },
    });

    const { status, stderr, stdout } = runApp({ databases: [sample] }, outdir);

    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n').toSorted()).toEqual([
      'databases[0].connectionBudget: is 0; must be a whole number of connections from 1 to 5000',
      'databases[0].expire.keepAtLeast: is 1.5; must be a whole number from 1 to 1000',
      'databases[0].schedules: is missing; must be the schedules of the jobs',
    ]);
    expect(existsSync(outdir)).toBe(false);
    expect(schedules).toBeDefined();
  });

  test('a config file that is not there: one line names it, exit code 2', () => {
    const env = offlineEnvironment({ NIGHTSHIFT_CONFIG: join(folder, 'nowhere.ts') });

    const { status, stderr } = spawnSync('node', ['infra/app.ts'], { cwd: projectRoot, env, encoding: 'utf8' });

    expect(status).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain('nowhere.ts: is not readable');
  });
});

describe('cdk synth of nightshift.config.ts', () => {
  let synth: ReturnType<typeof spawnSync>;
  const assets = new Map<JobName, string>();

  beforeAll(() => {
    mkdirSync(out);
    const options = ['synth', '--quiet', '--no-notices', '--no-version-reporting', '--output', out];
    synth = spawnSync('cdk', options, { cwd: projectRoot, env: offlineEnvironment(), encoding: 'utf8' });
    if (synth.status !== 0) return;
    const template: unknown = JSON.parse(readFileSync(join(out, 'Nightshift-sample.template.json'), 'utf8'));
    for (const resource of Object.values(Object(Reflect.get(Object(template), 'Resources')))) {
      const path: unknown = Reflect.get(Object(Reflect.get(Object(resource), 'Metadata')), 'aws:asset:path');
      const name: unknown = Reflect.get(Object(Reflect.get(Object(resource), 'Properties')), 'FunctionName');
      const job = jobNames.find((one) => name === `nightshift-sample-${one}`);
      if (job !== undefined && typeof path === 'string') assets.set(job, join(out, path));
    }
  }, 120_000);

  const assetOf = (job: JobName): string => {
    const asset = assets.get(job);
    if (asset === undefined) throw new Error(`synth made no asset for ${job}: ${String(synth.stderr)}`);
    return asset;
  };

  test('no credentials and no network: it succeeds and bundles every function', () => {
    expect(synth.status === 0 ? '' : String(synth.stderr)).toBe('');
    expect([...assets.keys()].toSorted()).toEqual([...jobNames].toSorted());
  });

  test('the size of the functions: each stays within the limit', () => {
    const sizes = jobNames.map((job) => [job, statSync(join(assetOf(job), 'index.mjs')).size / 1024] as const);

    const table = sizes.map(([job, kib]) => `  ${job.padEnd(14)}${kib.toFixed(0).padStart(6)} KiB`);
    process.stdout.write(`JavaScript per function\n${table.join('\n')}\n`);
    expect(sizes.filter(([job, kib]) => kib > (MOST_KIB_OF[job] ?? MOST_KIB))).toEqual([]);
  });

  test.each([...jobNames])('%s: its asset holds the module, its source map and the SQL folders it reads', (job) => {
    const asset = assetOf(job);
    const bundle = readFileSync(join(asset, 'index.mjs'), 'utf8');
    const folders = sqlFolders[job];

    expect(bundle.trimEnd().endsWith('//# sourceMappingURL=index.mjs.map')).toBe(true);
    expect(JSON.parse(readFileSync(join(asset, 'index.mjs.map'), 'utf8')).sourcesContent).toBeUndefined();
    expect(existsSync(join(asset, 'sql')) ? readdirSync(join(asset, 'sql')).toSorted() : []).toEqual(
      [...folders].toSorted(),
    );
    for (const name of folders)
      expect(readdirSync(join(asset, 'sql', name)).toSorted()).toEqual(
        readdirSync(join(projectRoot, 'sql', name))
          .filter((file) => file.endsWith('.sql'))
          .toSorted(),
      );
    // Every folder that the code names must lie beside it, or the function fails at night instead of here.
    const named = [...bundle.matchAll(/["'`]([a-z-]+)\/[^"'`\s]*\.sql["'`]/g)].map(([, name]) => name);
    expect([...new Set(named)].filter((name) => !folders.includes(name ?? ''))).toEqual([]);
  });

  test('migrate: the parser of PostgreSQL lies beside its bundle', () => {
    const wasm = join(assetOf('migrate'), 'libpg-query.wasm');

    expect(readFileSync(wasm)).toEqual(
      readFileSync(join(projectRoot, 'node_modules/libpg-query/wasm/libpg-query.wasm')),
    );
  });

  test('each bundle alone, away from node_modules: node loads it and it exports the handler', () => {
    const load = jobNames.map(
      (job) =>
        `console.log((await import(${JSON.stringify(join(assetOf(job), 'index.mjs'))})).handler instanceof Function);`,
    );
    const { stdout, stderr } = spawnSync('node', ['--input-type=module', '-e', load.join('\n')], {
      cwd: folder,
      env: offlineEnvironment({ AWS_REGION: 'eu-central-1' }),
      encoding: 'utf8',
    });

    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual(jobNames.map(() => 'true'));
  });
});
