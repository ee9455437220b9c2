// How a handler becomes what Lambda loads: one minified ES module with its source map, and beside it the SQL it reads.
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Architecture, Code, Runtime } from 'aws-cdk-lib/aws-lambda';
import { type BuildOptions, buildSync } from 'esbuild';
import type { JobName } from './job-name.ts';

/** The repository: esbuild runs here, and handlers and SQL folders are named from here. */
export const projectRoot = join(import.meta.dirname, '..');

/** What every function runs on, and what a layer must be built for. */
export const functionRuntime = Runtime.NODEJS_24_X;
export const functionArchitecture = Architecture.ARM_64;

/** The folders of sql/ that a job reads; sql-files.ts looks for them beside the bundle. */
export const sqlFolders: Readonly<Record<JobName, readonly string[]>> = {
  bootstrap: ['nightshift', 'roles', 'session'],
  migrate: ['migrations', 'nightshift', 'session', 'migrate', 'seeds', 'inventory', 'roles', 'backup'],
  backup: ['backup', 'inventory', 'session'],
  verify: [],
  'restore-drill': ['restore-drill', 'restore', 'drill', 'inventory', 'backup', 'session'],
  purge: ['purge', 'session'],
  health: ['health'],
  expire: [],
  report: [],
};

/** Files that a bundled package reads from its own folder, which is the folder of the bundle then. */
const filesBeside: Partial<Record<JobName, readonly string[]>> = {
  bootstrap: ['node_modules/libpg-query/wasm/libpg-query.wasm'],
  migrate: ['node_modules/libpg-query/wasm/libpg-query.wasm'],
};

/**
 * Packages that stay out of the bundle.
 *
 * pg-native is an optional addon that is not installed. The others find credentials on a workstation or an EC2 host and
 * are only loaded when the standard AWS variables are missing, which Lambda always sets: 115 KB that would never run.
 */
const EXTERNAL_PACKAGES = [
  'pg-native',
  '@aws-sdk/credential-provider-http',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
  '@smithy/credential-provider-imds',
];

/** CommonJS packages (pg, libpg-query) ask for these three, which an ES module does not have. */
const BANNER = [
  "import{createRequire as nightshiftRequire}from'node:module';",
  'const require=nightshiftRequire(import.meta.url),__filename=import.meta.filename,__dirname=import.meta.dirname;',
].join('');

/** How esbuild makes an ES module of a handler; without its entry and its outfile. */
export const bundleOptions = {
  absWorkingDir: projectRoot,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Without keepNames: it takes 38 KiB, every error class names itself, and source maps name the functions of a stack.
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  mainFields: ['module', 'main'],
  external: EXTERNAL_PACKAGES,
  banner: { js: BANNER },
} satisfies BuildOptions;

/**
 * The code of one of a job's functions, whose handler is in the file `entry`.
 *
 * Not NodejsFunction: it starts npx and a shell for each function, which takes longer than the bundling itself. The SDK goes
 * into the bundle: the one that was tested is the one that is deployed. What esbuild has to say it prints by itself.
 */
export function functionCode(job: JobName, entry: string): Code {
  return Code.fromAsset(join(projectRoot, 'functions', job), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never pulled: the bundling below does not give up, it throws.
      image: DockerImage.fromRegistry('docker-is-not-used'),
      // Not run either. Two functions of one job have the same folder, which the CDK bundles once unless the options differ.
      command: [entry],
      local: {
        tryBundle: (folder) => {
          writeBundle(job, entry, folder);
          return true;
        },
      },
    },
  });
}

function writeBundle(job: JobName, entry: string, folder: string): void {
  buildSync({
    ...bundleOptions,
    entryPoints: [join('functions', job, entry)],
    outfile: join(folder, 'index.mjs'),
    logLevel: 'warning',
  });
  for (const name of sqlFolders[job]) {
    const from = join(projectRoot, 'sql', name);
    const to = join(folder, 'sql', name);
    mkdirSync(to, { recursive: true });
    for (const file of readdirSync(from).filter((one) => one.endsWith('.sql')))
      cpSync(join(from, file), join(to, file));
  }
  for (const file of filesBeside[job] ?? []) cpSync(join(projectRoot, file), join(folder, basename(file)));
}
