import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const parser = new URL('../../functions/shared/migration-parser.ts', import.meta.url).href;

/** What V8 says of the WebAssembly that it compiles while a process of its own parses so often. */
async function compiled(times: number, before = ''): Promise<{ stdout: string; stderr: string }> {
  const script = `const { migrationParser } = await import(${JSON.stringify(parser)});
    const parser = await migrationParser();
    ${before}
    for (let n = 0; n < ${times}; n += 1) await parser.parse('create table public.orders (id bigint primary key, note text)');
    await new Promise((resolve) => setTimeout(resolve, 1_000));`;
  return await run(process.execPath, ['--trace-wasm-compilation-times', '--input-type=module', '-e', script]);
}

test('a thousand statements are parsed: V8 compiles the parser simply, and never spends half a second on its grammar', async () => {
  const { stdout, stderr } = await compiled(1_000);

  expect(stdout).toContain('using Liftoff');
  expect(stdout).not.toContain('using TurboFan');
  expect(stderr).toBe('');
});

test('the same with the filter of functions taken away: V8 optimizes, so the test above would see it', async () => {
  const { stdout } = await compiled(1_000, "(await import('node:v8')).setFlagsFromString('--wasm-tier-up-filter=-1');");

  expect(stdout).toContain('using TurboFan');
});
