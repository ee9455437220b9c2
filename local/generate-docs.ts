// `npm run docs`: writes the pages of docs/ that are generated from the code.
import { writeFileSync } from 'node:fs';
import { allPages } from './docs/all-pages.ts';

for (const [name, text] of Object.entries(allPages())) {
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
  console.log(`docs/${name}`);
}
