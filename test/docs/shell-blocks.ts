// Reads the shell blocks of a page in docs/, by the heading under which they stand. Used by the tests of those pages.
import { readFileSync } from 'node:fs';

export interface ShellBlock {
  /** The nearest heading of level 1 or 2 above it. */
  section: string;
  /** What follows `sh` on the fence: the kind of server, or "aws"; empty for a block that always runs. */
  tag: string;
  text: string;
}

/** The text of a page in docs/. */
export function readPage(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
}

/** All fenced blocks whose language is sh, in order. */
export function shellBlocks(page: string): ShellBlock[] {
  const blocks: ShellBlock[] = [];
  let section = '';
  let open: ShellBlock | undefined;
  let inOther = false;
  for (const line of page.split('\n')) {
    const fence = /^```(.*)$/.exec(line);
    if (open) {
      if (fence) open = undefined;
      else open.text += `${line}\n`;
    } else if (inOther) {
      inOther = fence === null;
    } else if (fence) {
      const [language = '', ...tags] = (fence[1] ?? '').split(' ');
      if (language === 'sh') {
        open = { section, tag: tags.join(' '), text: '' };
        blocks.push(open);
      } else inOther = true;
    } else {
      section = /^##? (.+)$/.exec(line)?.[1] ?? section;
    }
  }
  return blocks;
}
