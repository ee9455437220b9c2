// Loads libpg-query, PostgreSQL's own parser as WebAssembly, both from node_modules and from beside the ESM bundle.
// Used by the migration-*.ts files only.
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type * as LibpgQuery from 'libpg-query';

/** The grammar of libpg-query: what an older server refuses may be right for this one. */
export const PARSER_MAJOR = 18;

type Parser = typeof LibpgQuery;

/**
 * Keeps V8 from optimizing the parser: it would take 0.5 s and 600 MB for the grammar, which is one function, and the process
 * waits for that at its end. Without, 30,000 statements are parsed in half a second of CPU time, with it in twice that.
 */
const NEVER_OPTIMIZED = '--wasm-tier-up-filter=0';

let loading: Promise<Parser> | undefined;

/** The parser, loaded once per process (about 80 ms). */
export async function migrationParser(): Promise<Parser> {
  loading ??= load();
  return await loading;
}

/**
 * Emscripten's loader looks for `libpg-query.wasm` in `__dirname`. An ESM bundle has no such variable, so a free
 * `__dirname` is a ReferenceError there; a global of that name, set while the module loads, points it to the folder of
 * the bundle. In node_modules the module is CommonJS and has its own, which wins.
 */
async function load(): Promise<Parser> {
  const before = Object.getOwnPropertyDescriptor(globalThis, '__dirname');
  Object.defineProperty(globalThis, '__dirname', {
    value: fileURLToPath(new URL('.', import.meta.url)),
    configurable: true,
  });
  setFlagsFromString(NEVER_OPTIMIZED);
  try {
    const parser = await import('libpg-query');
    await parser.loadModule();
    return parser;
  } finally {
    if (before) Object.defineProperty(globalThis, '__dirname', before);
    else Reflect.deleteProperty(globalThis, '__dirname');
  }
}
