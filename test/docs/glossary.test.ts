import { describe, expect, test } from 'vitest';
import { statuses, tiers } from '../../functions/health/contract.ts';
import { jobNames } from '../../functions/shared/jobs.ts';
import { anchorLinks, anchorsOf } from './commands.ts';
import { readPage } from './shell-blocks.ts';

const page = readPage('glossary.md');
const lines = page.split('\n').filter((line) => line.startsWith('- '));
const entries = lines.map((line) => {
  const [, term = '', meaning = ''] = /^- \*\*(.+?)\*\*: (.+)$/.exec(line) ?? [];
  return { term, meaning };
});

describe('docs/glossary.md', () => {
  test('every line of the list: it has a term and a meaning that ends with a full stop', () => {
    expect(entries.filter(({ term, meaning }) => term === '' || !meaning.endsWith('.'))).toEqual([]);
    expect(entries.length).toBeGreaterThan(40);
  });

  test('the terms: they are in alphabetical order, whatever their case', () => {
    const terms = entries.map(({ term }) => term);

    expect(terms).toEqual(terms.toSorted((a, b) => a.localeCompare(b, 'en', { sensitivity: 'base' })));
  });

  test('the terms: none is there twice', () => {
    const terms = entries.map(({ term }) => term.toLowerCase());

    expect(terms.filter((term, index) => terms.indexOf(term) !== index)).toEqual([]);
  });

  test.each([...jobNames, ...statuses])('%s: a name of the code that a person reads is a term', (name) => {
    expect(entries.map(({ term }) => term)).toContain(name);
  });

  test('the jobs and tiers: the entries of those words name each', () => {
    const meaningOf = (term: string) => entries.find((entry) => entry.term === term)?.meaning ?? '';

    expect(jobNames.filter((job) => !meaningOf('job').includes(job))).toEqual([]);
    expect(tiers.filter((tier) => !meaningOf('tier').includes(tier))).toEqual([]);
  });

  test('links to headings: each is there', () => {
    expect(anchorLinks(page).filter(({ page: to, anchor }) => !anchorsOf(readPage(to)).includes(anchor))).toEqual([]);
  });
});
