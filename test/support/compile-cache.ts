// For the environment of a command that a test starts: without it each would compile the same files again, half its processor time.

/** The variable as vitest.config.ts sets it. */
export const compileCache: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    name === 'NODE_COMPILE_CACHE' && value !== undefined ? [[name, value]] : [],
  ),
);
