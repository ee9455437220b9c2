import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { allPages } from '../../local/docs/all-pages.ts';
import { jobContracts } from '../../local/docs/job-contracts.ts';

describe('docs/', () => {
  test.each(Object.entries(allPages()))('%s: equal to what `npm run docs` writes now', (name, text) => {
    expect(readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')).toBe(text);
  });

  test.each(Object.entries(jobContracts))('the example event of %s: its schema takes it', (_, { event, example }) => {
    expect(z.safeParse(event, example).success).toBe(true);
  });
});
