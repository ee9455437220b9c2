// The script that builds the layer with pg_dump refuses: each time it says why, and nothing is left behind. No network.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findPostgres } from '../../local/postgres/find-binaries.ts';
import { BAD_ARGUMENT, CANNOT_BUILD_HERE, makeScriptFolder, NOT_IN_PACKAGES, native } from './run-build-script.ts';

const script = makeScriptFolder();
afterAll(() => script.remove());

const { directory, major } = findPostgres();
/** Only there are packages that can be wrong. */
const withApt = ['/usr/bin/apt-get'].filter((program) => existsSync(program));

/** A folder with links to these programs and no others. */
function pathWith(...programs: string[]): string {
  const path = mkdtempSync(join(script.folder, 'path-'));
  const places = (process.env['PATH'] ?? '').split(':');
  for (const program of programs) {
    const place = places.find((one) => existsSync(join(one, program)));
    if (place !== undefined) symlinkSync(join(place, program), join(path, program));
  }
  return path;
}

describe('build.sh refuses', () => {
  test.each([
    ['no architecture', [], 'the architecture is ""; must be x86_64 or arm64'],
    ['another processor', ['riscv64', 'OUT', '15'], 'the architecture is "riscv64"; must be x86_64 or arm64'],
    ['no major', ['arm64', 'OUT'], 'the out folder or the majors are missing'],
    ['a minor version', ['arm64', 'OUT', '15', '16.2'], 'the major is "16.2"; must be as 15'],
    ['an unknown option', ['--fast', 'arm64', 'OUT', '15'], '"--fast" is no option'],
    ['an option without its value', ['--glibc'], '--glibc is ""; must be as 2.34'],
    [
      'sources that are not there',
      ['--apt-sources', '/no/such', 'arm64', 'OUT', '15'],
      '--apt-sources (or NIGHTSHIFT_APT_SOURCES) is "/no/such"',
    ],
  ])('%s: it names the value and what is allowed', (_, options, problem) => {
    const out = join(script.folder, 'refused');
    const { status, stderr } = script.run(options.map((option) => (option === 'OUT' ? out : option)));

    expect(status).toBe(BAD_ARGUMENT);
    expect(stderr).toContain(`build.sh: ${problem}`);
    expect(existsSync(out)).toBe(false);
  });

  test('an out folder that holds something: it is left as it was', () => {
    const out = mkdtempSync(join(script.folder, 'full-'));
    writeFileSync(join(out, 'mine'), 'kept');

    const { status, stderr } = script.run(['arm64', out, '15']);

    expect(status).toBe(BAD_ARGUMENT);
    expect(stderr).toContain(`"${out}" is there already; must be a new or an empty folder`);
    expect(readFileSync(join(out, 'mine'), 'utf8')).toBe('kept');
  });

  test('a machine without apt-get: it says where the layer can be built, and nothing is left', () => {
    const out = join(script.folder, 'nowhere');
    const path = pathWith('bash', 'grep', 'uname', 'mktemp', 'rm', 'ls');

    const { status, stderr } = script.run([native, out, '15'], { PATH: path });

    expect(status).toBe(CANNOT_BUILD_HERE);
    expect(stderr).toMatch(
      /no apt-get and is not Amazon Linux\. Nothing was written to ".+"\.\nHint: .+Docker in public\.ecr/,
    );
    expect(existsSync(out)).toBe(false);
    expect(script.leftovers()).toEqual([]);
  });

  test('a machine without readelf: it names the program and its package', () => {
    const path = pathWith('bash', 'grep', 'mktemp', 'rm', 'ls');
    for (const program of ['apt-get', 'dpkg-deb']) symlinkSync('/bin/false', join(path, program));

    const { status, stderr } = script.run([native, join(script.folder, 'nowhere'), '15'], { PATH: path });

    expect(status).toBe(CANNOT_BUILD_HERE);
    expect(stderr).toMatch(/readelf is missing.*\nHint: apt-get install dpkg binutils/);
  });
});

describe.each(withApt)('build.sh with package sources that fail, fetched by %s', () => {
  /** A package source of our own, in a folder, with these packages: name → its files. */
  function packageSource(packages: Record<string, Record<string, string>>, kind = 'copy'): string {
    const source = mkdtempSync(join(script.folder, 'source-'));
    const architecture = { arm64: 'arm64', x86_64: 'amd64' }[native];
    const index = Object.entries(packages).map(([name, files]) => {
      const tree = join(source, `tree-${name}`);
      const control = `Package: ${name}\nVersion: 1.0\nArchitecture: ${architecture}\nMaintainer: test <test@example.com>\nDescription: test\n`;
      for (const [path, content] of Object.entries({ 'DEBIAN/control': control, ...files })) {
        mkdirSync(join(tree, path, '..'), { recursive: true });
        writeFileSync(join(tree, path), content.startsWith('/') ? readFileSync(content) : content);
      }
      expect(spawnSync('dpkg-deb', ['-b', tree, join(source, `${name}.deb`)]).status).toBe(0);
      const deb = readFileSync(join(source, `${name}.deb`));
      const sum = createHash('sha256').update(deb).digest('hex');
      return `${control}Filename: ./${name}.deb\nSize: ${deb.length}\nSHA256: ${sum}\n`;
    });
    writeFileSync(join(source, 'Packages'), index.join('\n'));
    writeFileSync(join(source, 'test.list'), `deb [trusted=yes] ${kind}:${source} ./\n`);
    return join(source, 'test.list');
  }

  const folderOfPrograms = `usr/lib/postgresql/${major}/bin`;
  const program = (name: string) => ({
    [`${folderOfPrograms}/${name}`]: join(directory, name),
  });

  test.each([
    [
      'there is none of the major',
      {},
      CANNOT_BUILD_HERE,
      `the package sources have no postgresql-client-${major} for ${native}, but: none`,
    ],
    [
      'a program is not in the package',
      { [`postgresql-client-${major}`]: { ...program('pg_dump'), ...program('pg_dumpall') } },
      NOT_IN_PACKAGES,
      `the package of PostgreSQL ${major} has no pg_restore`,
    ],
    [
      'a library is in no package',
      {
        [`postgresql-client-${major}`]: { ...program('pg_dump'), ...program('pg_dumpall'), ...program('pg_restore') },
      },
      NOT_IN_PACKAGES,
      `libpq.so.5 is missing, which pg_dump of PostgreSQL ${major} needs`,
    ],
  ])('%s: it says so, and nothing is left', (_, packages, code, problem) => {
    const out = join(script.folder, 'never');
    const sources = packageSource({ 'base-files': {}, ...packages });

    const { status, stderr } = script.run(['--apt-sources', sources, native, out, String(major)]);

    expect(stderr).toContain(`build.sh: ${problem}`);
    expect(status).toBe(code);
    expect(existsSync(out)).toBe(false);
    expect(script.leftovers()).toEqual([]);
  });

  test('a source whose packages apt-get does not copy: it says how to write it', () => {
    const sources = packageSource({ 'base-files': {}, [`postgresql-client-${major}`]: {} }, 'file');

    const { status, stderr } = script.run([
      '--apt-sources',
      sources,
      native,
      join(script.folder, 'never'),
      String(major),
    ]);

    expect(status).toBe(CANNOT_BUILD_HERE);
    expect(stderr).toContain('Hint: write a package source of the kind "file:" as "copy:"');
  });

  test('the source cannot be read: it repeats what apt-get says, and an empty out folder stays as it was', () => {
    const out = mkdtempSync(join(script.folder, 'empty-'));
    const sources = join(script.folder, 'gone.list');
    writeFileSync(sources, `deb [trusted=yes] file:${script.folder}/gone ./\n`);

    const { status, stderr } = script.run([native, out, String(major)], { NIGHTSHIFT_APT_SOURCES: sources });

    expect(status).toBe(CANNOT_BUILD_HERE);
    expect(stderr).toMatch(/^build\.sh: "apt-get" failed: .*gone/);
    expect(readdirSync(out)).toEqual([]);
    expect(script.leftovers()).toEqual([]);
  });
});
