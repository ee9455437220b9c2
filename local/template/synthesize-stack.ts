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
  Metadata?: Record<string, unknown>;
}

export interface SynthesizedStack {
  name: string;
  resources: Readonly<Record<string, TemplateResource>>;
  /** The folder with the code of a function, as it would be uploaded. */
  assetFolder(logicalId: string): string;
}

/** The stacks of the given configuration file, in the order of the file; writes only below `outputFolder`. */
export async function synthesizeStacks(configFile: string, outputFolder: string): Promise<SynthesizedStack[]> {
  const cdkJson: { context: unknown } = JSON.parse(readFileSync(join(repository, 'cdk.json'), 'utf8'));
  const environment = {
    ...process.env,
    NIGHTSHIFT_CONFIG: configFile,
    CDK_OUTDIR: outputFolder,
    CDK_CONTEXT_JSON: JSON.stringify(cdkJson.context),
  };
  try {
    await run(process.execPath, [join(repository, 'infra/app.ts')], {
      cwd: repository,
      env: environment,
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

function readStack(name: string, folder: string, templateFile: string): SynthesizedStack {
  const template: { Resources: Record<string, TemplateResource> } = JSON.parse(
    readFileSync(join(folder, templateFile), 'utf8'),
  );
  return {
    name,
    resources: template.Resources,
    assetFolder: (logicalId) => {
      const path = template.Resources[logicalId]?.Metadata?.['aws:asset:path'];
      if (typeof path !== 'string') throw new Error(`function ${logicalId} has no asset in the template`);
      return join(folder, path);
    },
  };
}

function saidBy(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return stderr === '' ? String(error) : stderr;
}
