// The Lambda layer with pg_dump, pg_dumpall and pg_restore, built by layers/postgres-client/build.sh at synth.
// Docker is used where it runs, else the packages of Debian or Ubuntu. Nothing is built, or fetched, unless it is configured.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { AssetHashType, DockerImage, type ILocalBundling } from 'aws-cdk-lib';
import { Code, type ILayerVersion, LayerVersion } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { DatabaseConfig } from './config.ts';
import { functionArchitecture, functionRuntime, projectRoot } from './function-bundle.ts';

const SOURCE = join(projectRoot, 'layers', 'postgres-client');
/** The system that the functions run on. */
const IMAGE = 'public.ecr.aws/amazonlinux/amazonlinux:2023';
/** What build.sh needs of Debian or Ubuntu, besides a shell. */
const DEBIAN_PROGRAMS = ['apt-get', 'dpkg-deb', 'readelf'];
/** A build takes seconds; a package source that hangs must not hang synth. */
const LONGEST_BUILD_MS = 600_000;
/** How long Docker may take to say whether it runs. */
const LONGEST_ANSWER_MS = 15_000;

/** The layer that the config asks for, or undefined. Throws when it is to be built and this machine cannot. */
export function postgresClientLayer(
  scope: Construct,
  { name, backup: { postgresClient } }: Pick<DatabaseConfig, 'name' | 'backup'>,
): ILayerVersion | undefined {
  if (postgresClient?.layerArn !== undefined)
    return LayerVersion.fromLayerVersionArn(scope, 'PostgresClient', postgresClient.layerArn);
  if (postgresClient?.majors === undefined) return undefined;
  const majors = postgresClient.majors.toSorted((a, b) => a - b).map(String);
  return new LayerVersion(scope, 'PostgresClient', {
    layerVersionName: `nightshift-${name}-postgres-client`,
    description: `pg_dump, pg_dumpall and pg_restore of PostgreSQL ${majors.join(', ')}`,
    license: 'PostgreSQL and those of the libraries: see licences/ in it',
    compatibleRuntimes: [functionRuntime],
    compatibleArchitectures: [functionArchitecture],
    code: Code.fromAsset(SOURCE, {
      // By its content: a new minor version or a repaired library makes a new layer, though nothing here has changed.
      assetHashType: AssetHashType.OUTPUT,
      bundling: {
        image: DockerImage.fromRegistry(IMAGE),
        platform: functionArchitecture.dockerPlatform,
        // It installs packages, inside the container.
        user: 'root',
        command: ['bash', '/asset-input/build.sh', functionArchitecture.name, '/asset-output', ...majors],
        local: buildHere(majors, process.env),
      },
    }),
  });
}

/** CDK asks this first; `false` sends it to Docker. Exported for its test. */
export function buildHere(majors: readonly string[], environment: NodeJS.ProcessEnv): ILocalBundling {
  return {
    tryBundle: (folder) => {
      if (dockerRuns(environment)) return false;
      const missing = DEBIAN_PROGRAMS.filter((program) => !isOnPath(program, environment));
      if (missing.length > 0)
        throw new Error(
          `backup.postgresClient.majors: the layer with pg_dump cannot be built here, because Docker does not run and ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not installed. Nothing was built. Hint: start Docker, or synth on Debian or Ubuntu with the packages apt, dpkg and binutils, or give the ARN of a finished layer as backup.postgresClient.layerArn`,
        );
      build(folder, majors, environment);
      return true;
    },
  };
}

/** The CLI alone is not enough: the engine behind it must answer. */
function dockerRuns(environment: NodeJS.ProcessEnv): boolean {
  const docker = environment['CDK_DOCKER'] ?? 'docker';
  return spawnSync(docker, ['info'], { env: environment, stdio: 'ignore', timeout: LONGEST_ANSWER_MS }).status === 0;
}

function isOnPath(program: string, environment: NodeJS.ProcessEnv): boolean {
  return (environment['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function build(folder: string, majors: readonly string[], environment: NodeJS.ProcessEnv): void {
  const { status, signal, stdout, stderr, error } = spawnSync(
    join(SOURCE, 'build.sh'),
    [functionArchitecture.name, folder, ...majors],
    { env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: LONGEST_BUILD_MS },
  );
  // Standard output belongs to the template.
  process.stderr.write(stdout ?? '');
  if (status === 0) return;
  const reason = error?.message ?? (signal === null ? (stderr ?? '').trim() : `it was ended by ${signal}`);
  throw new Error(`backup.postgresClient.majors: the layer with pg_dump could not be built: ${reason}`);
}
