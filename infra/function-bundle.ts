// How a handler becomes what Lambda loads: one minified ES module with its source map, and beside it the SQL it reads.
import { join } from 'node:path';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';
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

/** The bundling of one job's handler. */
export function functionBundle(job: JobName): BundlingOptions {
  return {
    format: OutputFormat.ESM,
    target: 'node24',
    // Without keepNames: it takes 38 KiB, every error class names itself, and source maps name the functions of a stack.
    minify: true,
    sourceMap: true,
    sourceMapMode: SourceMapMode.DEFAULT,
    sourcesContent: false,
    mainFields: ['module', 'main'],
    // The SDK that was tested is the one that is deployed.
    bundleAwsSDK: true,
    externalModules: EXTERNAL_PACKAGES,
    banner: BANNER,
    commandHooks: {
      beforeInstall: () => [],
      beforeBundling: () => [],
      afterBundling: (from, to) => [
        ...sqlFolders[job].map(
          (folder) =>
            `mkdir -p "${to}/sql/${folder}" && find "${from}/sql/${folder}" -maxdepth 1 -name '*.sql' -exec cp {} "${to}/sql/${folder}/" \\;`,
        ),
        ...(filesBeside[job] ?? []).map((file) => `cp "${from}/${file}" "${to}/"`),
      ],
    },
  };
}
