// Bundles the backup function with exactly the options with which it is deployed (infra/function-bundle.ts).
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { bundleOptions, projectRoot, sqlFolders } from '../../infra/function-bundle.ts';
import { LocalRunError } from '../../local/local-run-error.ts';

export interface BundledFunction {
  /** Has index.mjs and its SQL, as Lambda gets it. */
  folder: string;
  /** The process in which the local night runs functions, as JavaScript. */
  launcher: string;
}

/** Writes the function and its launcher into new folders below `folder`. */
export async function bundleBackupHandler(folder: string): Promise<BundledFunction> {
  const bundled = { folder: join(folder, 'function'), launcher: join(folder, 'launcher', 'lambda-process.mjs') };
  mkdirSync(bundled.folder, { recursive: true });
  await bundleAsDeployed('functions/backup/handler.ts', join(bundled.folder, 'index.mjs'));
  // Node would strip the types in the measured process, with a compiler that takes 20 MiB which Lambda never needs.
  await mustBuild('local/lambda/lambda-process.ts', { outfile: bundled.launcher });
  for (const name of sqlFolders.backup) {
    cpSync(join(projectRoot, 'sql', name), join(bundled.folder, 'sql', name), { recursive: true });
  }
  return bundled;
}

/** Bundles a file of this repository as functions are; throws LocalRunError when it cannot. */
export async function bundleAsDeployed(entryPoint: string, outfile: string): Promise<void> {
  await mustBuild(entryPoint, { ...bundleOptions, outfile });
}

async function mustBuild(entryPoint: string, options: BuildOptions): Promise<void> {
  try {
    await build({
      absWorkingDir: projectRoot,
      entryPoints: [entryPoint],
      format: 'esm',
      logLevel: 'silent',
      ...options,
    });
  } catch (error) {
    const words = error instanceof Error ? error.message.split('\n').slice(0, 4).join(' / ') : String(error);
    throw new LocalRunError(
      `"${entryPoint}" could not be bundled: ${words}. No benchmark was run`,
      'npm run types tells more',
    );
  }
}
