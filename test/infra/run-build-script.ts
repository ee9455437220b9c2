// Runs the script that builds the layer with pg_dump, as a person would, for the tests of it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../infra/function-bundle.ts';

/** Its exit codes. */
export const [BAD_ARGUMENT, CANNOT_BUILD_HERE, NOT_IN_PACKAGES] = [2, 3, 4];

/** The processor of this machine, as the script names it. */
export const native = process.arch === 'arm64' ? 'arm64' : 'x86_64';

export interface ScriptFolder {
  /** For layers and whatever else a test makes. */
  readonly folder: string;
  /** Environment in which the script's own temporary folders go where `leftovers` sees them. */
  readonly environment: NodeJS.ProcessEnv;
  run(
    options: readonly string[],
    more?: Record<string, string>,
  ): { status: number | null; stdout: string; stderr: string };
  /** What the script has not removed; empty after every run. */
  leftovers(): string[];
  remove(): void;
}

/** A folder of its own for one test file. */
export function makeScriptFolder(): ScriptFolder {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-layer-'));
  const scratch = join(folder, 'scratch');
  mkdirSync(scratch);
  const environment = { ...process.env, TMPDIR: scratch };
  const script = join(projectRoot, 'layers/postgres-client/build.sh');
  return {
    folder,
    environment,
    run: (options, more = {}) =>
      spawnSync('bash', [script, ...options], {
        cwd: projectRoot,
        env: { ...environment, ...more },
        encoding: 'utf8',
        timeout: 120_000,
      }),
    leftovers: () => readdirSync(scratch),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
