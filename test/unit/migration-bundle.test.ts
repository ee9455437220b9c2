// The parser's WebAssembly must be found beside an ES module bundle as it is deployed, not only in node_modules.
import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const folders: string[] = [];
const wasm = join(dirname(createRequire(import.meta.url).resolve('libpg-query')), 'libpg-query.wasm');

/** Bundles as infra does, with the SQL files and, unless told otherwise, the wasm beside it. */
async function bundle(entry: string, mainFields: string[], withWasm = true): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-bundle-'));
  folders.push(folder);
  await build({
    entryPoints: [join(root, entry)],
    outfile: join(folder, 'index.mjs'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields,
    external: ['pg-native'],
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    logLevel: 'silent',
  });
  for (const name of ['migrations', 'nightshift', 'session', 'roles']) {
    cpSync(join(root, 'sql', name), join(folder, 'sql', name), { recursive: true });
  }
  if (withWasm) copyFileSync(wasm, join(folder, 'libpg-query.wasm'));
  return folder;
}

/** Runs the module in a process of its own, whose working folder is elsewhere. */
async function runModule(folder: string, code: string): Promise<string> {
  const file = join(folder, 'run.mjs');
  writeFileSync(file, code);
  const { stdout } = await run(process.execPath, [file], { cwd: tmpdir(), env: { PATH: process.env['PATH'] } });
  return stdout;
}

describe('the bundles of migrate and bootstrap', () => {
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    ['functions/migrate/handler.ts', ['module', 'main']],
    ['functions/migrate/handler.ts', ['main', 'module']],
    ['functions/bootstrap/handler.ts', ['module', 'main']],
  ])('%s as one ES module with main fields %j: it loads and has a handler', async (entry, mainFields) => {
    const folder = await bundle(entry, mainFields);

    const output = await runModule(
      folder,
      "import { handler } from './index.mjs'; console.log(typeof handler, typeof globalThis.__dirname);",
    );

    expect(output.trim()).toBe('function undefined');
  });

  test.each([[['module', 'main']], [['main', 'module']]])(
    'the files are split in the bundle with main fields %j: the parser is found beside it, and the SQL too',
    async (mainFields) => {
      const folder = await bundle('functions/shared/migration-files.ts', mainFields);

      const output = await runModule(
        folder,
        `import { productFolder, readMigrations } from './index.mjs';
         const [first] = await readMigrations(productFolder('migrations'), true);
         console.log(first.name, first.up.statements.length > 40, first.up.checksum.length, typeof globalThis.__dirname);`,
      );

      expect(output.trim()).toBe('initial_schema true 64 undefined');
    },
  );

  test('the wasm is not beside the bundle: it fails and names the file, it does not find the one in node_modules', async () => {
    const folder = await bundle('functions/shared/migration-files.ts', ['module', 'main'], false);

    await expect(
      runModule(
        folder,
        "import { productFolder, readMigrations } from './index.mjs'; await readMigrations(productFolder('migrations'), true);",
      ),
    ).rejects.toThrow(/libpg-query\.wasm/);
  });
});
