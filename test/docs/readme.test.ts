import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { jobNames } from '../../functions/shared/jobs.ts';
import { HELP } from '../../local/night/parse-arguments.ts';
import packageJson from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('README.md', () => {
  test('its first command stands on the first screen, by line 12', () => {
    const line = readme.split('\n').findIndex((text) => text.startsWith('    sudo apt-get'));

    expect(line).toBeGreaterThan(0);
    expect(line).toBeLessThan(12);
  });

  test('the gate runs exactly its test command, after the packages that the command installs', () => {
    const command = /^ {4}sudo apt-get install -y nodejs npm (\S+ \S+) && (npm ci && npm test)$/m.exec(readme);
    const gate = readFileSync(join(root, '.ci/run'), 'utf8');

    expect(gate.trimEnd().split('\n').at(-1)).toBe(command?.[2]);
    expect(gate).toContain(`apt-get install -y --no-install-recommends ${command?.[1]}`);
  });

  test('every link goes to a file that is there', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, path]) => path ?? '');

    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('its table has every job, and no other', () => {
    const section = readme.slice(readme.indexOf('## What it does'), readme.indexOf('## What it will never do'));
    const jobs = [...section.matchAll(/^\| ([a-z-]+) \|/gm)].map(([, job]) => job ?? '').filter((job) => job !== 'job');

    expect(jobs.toSorted()).toEqual([...jobNames].toSorted());
  });

  test('the options that it names are those of the program', () => {
    const options = [...readme.matchAll(/npm start -- (--[a-z-]+)/g)].map(([, option]) => option ?? '');

    expect(options.filter((option) => !HELP.includes(option))).toEqual([]);
    expect(options.length).toBeGreaterThan(2);
  });

  test('every npm script that README and CONTRIBUTING name exists', () => {
    const text = `${readme}\n${readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')}`;
    const scripts = [...text.matchAll(/npm run ([a-z0-9:]+)/g)].map(([, script]) => script ?? '');

    expect(scripts.filter((script) => !(script in packageJson.scripts))).toEqual([]);
    expect(scripts.length).toBeGreaterThan(2);
  });

  test('CONTRIBUTING stays within 80 lines', () => {
    expect(readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8').split('\n').length).toBeLessThanOrEqual(81);
  });
});
