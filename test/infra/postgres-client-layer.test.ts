// The layer with pg_dump in the config and in the template, and which machine may build it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, AssetStaging, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { clientToolsSettings } from '../../functions/shared/environment.ts';
import { findClientTools } from '../../functions/shared/postgres-client-tools.ts';
import { clientMajors } from '../../infra/backup-config.ts';
import { projectRoot } from '../../infra/function-bundle.ts';
import { jobNames } from '../../infra/job-name.ts';
import { checkConfig } from '../../infra/load-config.ts';
import { buildHere, postgresClientLayer } from '../../infra/postgres-client-layer.ts';
import { now, propertiesOf, sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const ARN = 'arn:aws:lambda:eu-central-1:111122223333:layer:postgres-client:3';

const folder = mkdtempSync(join(tmpdir(), 'nightshift-client-layer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder for PATH with programs that only end with these exit codes. */
function pathWith(programs: Record<string, number>): string {
  const path = mkdtempSync(join(folder, 'path-'));
  for (const [program, code] of Object.entries(programs))
    writeFileSync(join(path, program), `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
  return path;
}

function problemsOf(postgresClient: unknown): string[] {
  return checkConfig({ databases: [{ ...sampleDatabase(), backup: { postgresClient } }] }, now).problems ?? [];
}

describe('backup.postgresClient', () => {
  test.each([[undefined], [null], [{ majors: [15] }], [{ majors: [18, 14] }], [{ layerArn: ARN }]])(
    '%j: it is accepted',
    (value) => {
      expect(problemsOf(value)).toEqual([]);
    },
  );

  test.each([
    [{}, 'databases[0].backup.postgresClient: is an object; must have either majors or layerArn'],
    [
      { majors: [15], layerArn: ARN },
      'databases[0].backup.postgresClient: is an object; must have either majors or layerArn',
    ],
    [{ majors: [] }, 'databases[0].backup.postgresClient.majors: is an empty list; must be a list of majors'],
    [{ majors: [13] }, 'databases[0].backup.postgresClient.majors[0]: is 13; must be one of 14, 15, 16, 17, 18'],
    [{ majors: [15, 15] }, 'databases[0].backup.postgresClient.majors: is a list; must name each major once'],
    [
      { layerArn: 'postgres-client' },
      'databases[0].backup.postgresClient.layerArn: is "postgres-client"; must be the ARN of a layer version',
    ],
    [ARN, `databases[0].backup.postgresClient: is "${ARN.slice(0, 56)}...; must be { majors }, { layerArn } or null`],
  ])('%j: it is refused, and the line says what is allowed', (value, line) => {
    expect(problemsOf(value)).toEqual([line]);
  });

  test('every major that the config allows: a function finds its programs in the folder that the layer has for it', async () => {
    const opt = join(folder, 'opt');
    for (const major of clientMajors) {
      const bin = join(opt, `pg${major}`, 'bin');
      mkdirSync(bin, { recursive: true });
      for (const program of ['pg_dump', 'pg_restore'])
        writeFileSync(join(bin, program), `#!/bin/sh\necho "${program} (PostgreSQL) ${major}.1"\n`, { mode: 0o755 });
    }

    const found = await Promise.all(clientMajors.map(async (major) => await findClientTools(opt, major)));

    expect(found.map(({ directory }) => directory)).toEqual(
      clientMajors.map((major) => join(opt, `pg${major}`, 'bin')),
    );
  });
});

describe('the template', () => {
  function layersOf(postgresClient: { majors: 15[] } | { layerArn: string } | null) {
    const synthesized = synthesize([sampleDatabase({ backup: { postgresClient } })]);
    const template = templateOf(synthesized, 'sample');
    const functions = propertiesOf(template, 'AWS::Lambda::Function');
    const layers = jobNames.flatMap((job) => {
      const properties = functions.find(({ FunctionName }) => FunctionName === `nightshift-sample-${job}`);
      return properties?.Layers === undefined ? [] : [[job, properties.Layers]];
    });
    return { template, functions, layers, warnings: synthesized.warnings['sample'] ?? [] };
  }

  test('majors: one layer for the runtime and processor of the functions, which backup, verify, restore-drill and migrate carry', () => {
    const { template, functions, layers, warnings } = layersOf({ majors: [15] });

    const [id] = Object.keys(template.findResources('AWS::Lambda::LayerVersion'));
    expect(propertiesOf(template, 'AWS::Lambda::LayerVersion')).toEqual([
      expect.objectContaining({
        LayerName: 'nightshift-sample-postgres-client',
        CompatibleRuntimes: [functions[0]?.Runtime],
        CompatibleArchitectures: functions[0]?.Architectures,
      }),
    ]);
    expect(layers).toEqual([
      ['migrate', [{ Ref: id }]],
      ['backup', [{ Ref: id }]],
      ['verify', [{ Ref: id }]],
      ['restore-drill', [{ Ref: id }]],
    ]);
    expect(warnings).toEqual([]);
  });

  test('layerArn: the same four functions carry that layer, and none is made', () => {
    const { template, layers, warnings } = layersOf({ layerArn: ARN });

    expect(propertiesOf(template, 'AWS::Lambda::LayerVersion')).toEqual([]);
    expect(layers).toEqual([
      ['migrate', [ARN]],
      ['backup', [ARN]],
      ['verify', [ARN]],
      ['restore-drill', [ARN]],
    ]);
    expect(warnings).toEqual([]);
  });

  test('null: no function carries a layer, and synth warns that three jobs will fail and a fourth cannot rehearse', () => {
    const { template, layers, warnings } = layersOf(null);

    expect(propertiesOf(template, 'AWS::Lambda::LayerVersion')).toEqual([]);
    expect(layers).toEqual([]);
    expect(warnings.join()).toContain(
      'backup.postgresClient names no layer, so backup, verify and restore-drill find no client programs in Lambda and fail, and migrate cannot rehearse',
    );
  });

  test('where the functions look: the default, which is where Lambda mounts a layer', () => {
    const { functions } = layersOf({ majors: [15] });

    expect(clientToolsSettings.POSTGRES_CLIENT_DIRECTORIES.fallback).toBe('/opt');
    for (const { Environment } of functions) expect(Environment.Variables.POSTGRES_CLIENT_DIRECTORIES).toBeUndefined();
  });
});

describe('who builds the layer', () => {
  const debian = { 'apt-get': 0, 'dpkg-deb': 0, readelf: 0 };
  const options = { image: undefined as never };

  function tryWith(programs: Record<string, number>, more: Record<string, string> = {}) {
    const out = mkdtempSync(join(folder, 'out-'));
    const build = () => buildHere(['15'], { PATH: pathWith(programs), ...more }).tryBundle(out, options);
    return { build, out };
  }

  test('Docker runs: it is left to Docker, whatever else is installed', () => {
    const { build, out } = tryWith({ ...debian, docker: 0 });

    expect(build()).toBe(false);
    expect(readdirSync(out)).toEqual([]);
  });

  test('CDK_DOCKER names another engine: that one is asked', () => {
    const engine = join(pathWith({ finch: 0 }), 'finch');

    expect(tryWith({}, { CDK_DOCKER: engine }).build()).toBe(false);
  });

  test.each([
    ['is not installed', {}, 'apt-get, dpkg-deb, readelf are not installed'],
    ['is installed but does not run', { docker: 1, 'apt-get': 0, 'dpkg-deb': 0 }, 'readelf is not installed'],
  ])('Docker %s and the tools of Debian are missing: one error names the ways out', (_, programs, missing) => {
    const { build, out } = tryWith(programs);

    expect(build).toThrow(
      `Docker does not run and ${missing}. Nothing was built. Hint: start Docker, or synth on Debian or Ubuntu with the packages apt, dpkg and binutils, or give the ARN of a finished layer as backup.postgresClient.layerArn`,
    );
    expect(readdirSync(out)).toEqual([]);
  });

  test('the script fails: what it says is in the error, and the folder stays empty', () => {
    const path = pathWith(debian);
    writeFileSync(join(path, 'apt-get'), '#!/bin/sh\necho "E: no route to the mirror"\nexit 100\n');
    const out = mkdtempSync(join(folder, 'out-'));
    const environment = { PATH: `${path}:${process.env['PATH']}`, CDK_DOCKER: '/bin/false' };

    expect(() => buildHere(['15'], environment).tryBundle(out, options)).toThrow(
      /^backup\.postgresClient\.majors: the layer with pg_dump could not be built: build\.sh: "apt-get" failed: E: no route/,
    );
    expect(readdirSync(out)).toEqual([]);
  });
});

describe('infra/app.ts with majors', () => {
  test('nothing can build the layer: synth fails with that error, and makes no template', () => {
    const config = join(folder, 'config.json');
    writeFileSync(
      config,
      JSON.stringify({ databases: [sampleDatabase({ backup: { postgresClient: { majors: [15] } } })] }),
    );
    const outdir = join(folder, 'cdk.out');

    const { status, stderr } = spawnSync(process.execPath, [join(projectRoot, 'infra/app.ts')], {
      cwd: projectRoot,
      env: { PATH: pathWith({}), HOME: folder, NIGHTSHIFT_CONFIG: config, CDK_OUTDIR: outdir },
      encoding: 'utf8',
    });

    expect(status).not.toBe(0);
    expect(stderr).toContain('backup.postgresClient.majors: the layer with pg_dump cannot be built here');
    expect(existsSync(join(outdir, 'manifest.json'))).toBe(false);
  });
});

describe('synth with Docker', () => {
  /** An engine that notes what it was told and, as the container would, fills the folder behind /asset-output. */
  function engine(content: string, exitCode = 0): { path: string; told(): string[] } {
    const place = mkdtempSync(join(folder, 'engine-'));
    const path = join(place, 'docker');
    writeFileSync(
      path,
      `#!/bin/sh
[ "$1" = info ] && exit 0
printf '%s\\n' "$@" > "${place}/told"
[ ${exitCode} = 0 ] || exit ${exitCode}
for argument in "$@"; do
  case $argument in *:/asset-output:*) mkdir -p "\${argument%%:*}/pg15"; echo "${content}" > "\${argument%%:*}/pg15/file" ;; esac
done
`,
      { mode: 0o755 },
    );
    return { path, told: () => readFileSync(join(place, 'told'), 'utf8').trim().split('\n') };
  }

  /** The stack with nothing but the layer, bundled for real. */
  function synthLayer(docker: string): { hash: string; assets: string[] } {
    vi.stubEnv('CDK_DOCKER', docker);
    const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      AssetStaging.clearAssetHashCache();
      const app = new App({ outdir: mkdtempSync(join(folder, 'out-')) });
      const stack = new Stack(app, 'Alone');
      const { databases } = checkConfig(
        { databases: [sampleDatabase({ backup: { postgresClient: { majors: [17, 15] } } })] },
        now,
      );
      for (const config of databases ?? []) postgresClientLayer(stack, config);
      const { directory } = app.synth();
      const [layer] = propertiesOf(Template.fromStack(stack), 'AWS::Lambda::LayerVersion');
      return {
        hash: String(layer?.Content.S3Key),
        assets: readdirSync(directory, { recursive: true, encoding: 'utf8' }),
      };
    } finally {
      quiet.mockRestore();
      vi.unstubAllEnvs();
    }
  }

  test('the container: Amazon Linux on arm64 runs the script as root, the majors in order', () => {
    const docker = engine('same');

    const { hash, assets } = synthLayer(docker.path);

    const told = docker.told();
    const image = told.indexOf('public.ecr.aws/amazonlinux/amazonlinux:2023');
    expect(told.slice(image + 1)).toEqual(['bash', '/asset-input/build.sh', 'arm64', '/asset-output', '15', '17']);
    expect(told.slice(0, image).join(' ')).toMatch(/^run --rm --platform linux\/arm64 -u root -v /);
    expect(told).toContainEqual(
      expect.stringMatching(new RegExp(`^${join(projectRoot, 'layers/postgres-client')}:/asset-input:`)),
    );
    expect(assets).toContain(`asset.${hash.replace('.zip', '')}/pg15/file`);
  });

  test('the layer is named by its content: the same programs make the same layer, newer ones another', () => {
    const [first, second, newer] = ['same', 'same', 'newer'].map((content) => synthLayer(engine(content).path).hash);

    expect(second).toBe(first);
    expect(newer).not.toBe(first);
  });

  test('the container fails: synth fails, and nothing else is tried', () => {
    expect(() => synthLayer(engine('none', 1).path)).toThrow(/Failed to bundle asset Alone\/PostgresClient/);
  });
});
