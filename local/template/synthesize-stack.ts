// Synthesizes the stack as `cdk synth` does, offline, and finds the template and the bundles in the result.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LocalRunError } from '../local-run-error.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));

export interface TemplateResource {
  Type: string;
  Properties: Record<string, unknown>;
}

export interface SynthesizedStack {
  name: string;
  resources: Readonly<Record<string, TemplateResource>>;
  /** The folder with the code of a function, as it would be uploaded. */
  assetFolder(logicalId: string): string;
}

/** The stacks of the given configuration file, in the order of the file; writes only below `outputFolder`. */
export async function synthesizeStacks(
  configFile: string,
  outputFolder: string,
  signal: AbortSignal,
): Promise<SynthesizedStack[]> {
  const cdkJson: { context: unknown } = JSON.parse(readFileSync(join(repository, 'cdk.json'), 'utf8'));
  const environment = {
    ...process.env,
    NIGHTSHIFT_CONFIG: configFile,
    CDK_OUTDIR: outputFolder,
    CDK_CONTEXT_JSON: JSON.stringify(cdkJson.context),
    // The CDK would leave a cache in the temporary folder.
    NODE_DISABLE_COMPILE_CACHE: '1',
  };
  try {
    await run(process.execPath, [join(repository, 'infra/app.ts')], {
      cwd: repository,
      env: environment,
      signal,
      maxBuffer: 64 * 1_048_576,
    });
  } catch (error) {
    throw new LocalRunError(
      `the stack could not be synthesized:\n${saidBy(error)}\nNothing was run`,
      'correct what is named above',
    );
  }
  const manifest: CloudAssemblyManifest = JSON.parse(readFileSync(join(outputFolder, 'manifest.json'), 'utf8'));
  return Object.entries(manifest.artifacts)
    .filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack')
    .map(([name, artifact]) => readStack(name, outputFolder, artifact.properties.templateFile));
}

interface CloudAssemblyManifest {
  artifacts: Record<string, { type: string; properties: { templateFile: string } }>;
}

interface AssetManifest {
  files: Record<string, { source: { path: string }; destinations: Record<string, { objectKey: string }> }>;
}

function readStack(name: string, folder: string, templateFile: string): SynthesizedStack {
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const template: { Resources: Record<string, TemplateResource> } = read(templateFile);
  const assets: AssetManifest = read(`${name}.assets.json`);
  const pathByKey = new Map(
    Object.values(assets.files).flatMap(({ source, destinations }) =>
      Object.values(destinations).map(({ objectKey }) => [objectKey, source.path]),
    ),
  );
  return {
    name,
    resources: template.Resources,
    assetFolder: (logicalId) => {
      const code: { S3Key?: unknown } = template.Resources[logicalId]?.Properties['Code'] ?? {};
      const path = pathByKey.get(String(code.S3Key));
      if (path === undefined) throw new Error(`the code of function ${logicalId} is not among the assets of ${name}`);
      return join(folder, path);
    },
  };
}

function saidBy(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return stderr === '' ? String(error) : stderr;
}
