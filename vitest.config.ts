import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { matrixProjects } from './test/matrix/cells.ts';

// One project per kind of test; `npm test` runs them all. Each starts what it needs and leaves nothing behind.
const project = (name: string, more: object = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...more },
});

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 90_000,
    // Many tests wait: for a server that must notice something, or for a pause between two tries.
    maxWorkers: 3,
    // The commands that tests start would each compile the same files again.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node-compile') },
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      project('unit'),
      project('docs', { globalSetup: 'test/support/start-cluster.ts', testTimeout: 60_000 }),
      project('database', { globalSetup: 'test/support/start-cluster.ts' }),
      project('infra', { testTimeout: 60_000 }),
      project('local', { globalSetup: 'test/support/start-cluster.ts' }),
      ...matrixProjects().map((name) =>
        project(name, { include: ['test/matrix/*.test.ts'], globalSetup: 'test/matrix/start-cell.ts' }),
      ),
      project('faults', { globalSetup: 'test/support/start-cluster.ts', testTimeout: 60_000 }),
    ],
  },
});
