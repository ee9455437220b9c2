// The script that builds the layer with pg_dump, with the packages of this machine: what it makes runs, and it refuses cleanly.
// A machine that cannot build, or reaches no package source, says so in the output and tests that refusal instead.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { DockerImage } from 'aws-cdk-lib';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ClientProgram, findClientTools, startClientTool } from '../../functions/shared/postgres-client-tools.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { buildHere } from '../../infra/postgres-client-layer.ts';
import { findPostgres } from '../../local/postgres/find-binaries.ts';
import { startThrowawayCluster, type ThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { makeScriptFolder, native } from './run-build-script.ts';

const PROGRAMS = ['pg_dump', 'pg_dumpall', 'pg_restore'] as const;
/** The glibc of Amazon Linux 2023. */
const LAMBDA_GLIBC = 34;
/** Those that Lambda's own system has. */
const GLIBC = /^(ld-linux|libc\.so|libm\.so|libdl\.so|libpthread\.so|librt\.so|libresolv\.so)/;

const script = makeScriptFolder();
const { folder } = script;
afterAll(() => script.remove());

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted();
}

const { major } = findPostgres();
const layer = join(folder, 'layer');
const started = performance.now();
const built = script.run([native, layer, String(major)]);
const buildSeconds = (performance.now() - started) / 1_000;

/** Where apt, dpkg and readelf are, it must build; on macOS and elsewhere it must refuse. One of these lists is empty. */
const canBuild = ['apt-get', 'dpkg-deb', 'readelf'].every((program) => existsSync(join('/usr/bin', program)));
const builds = canBuild ? [native] : [];
const refusals = canBuild ? [] : [built.stderr.trim()];

test.each(refusals)('this machine cannot build the layer (%s): nothing is left behind', (said) => {
  expect(said).toMatch(/^build\.sh: .+\. Nothing was written to ".+"\.\nHint: .+\.$/);
  expect(existsSync(layer)).toBe(false);
  expect(script.leftovers()).toEqual([]);
});

const root = join(layer, `pg${major}`);
const isElf = (file: string) =>
  lstatSync(file).isFile() && readFileSync(file).subarray(0, 4).toString('latin1') === '\x7fELF';
const elfFiles = (place: string) =>
  filesBelow(place)
    .map((file) => join(place, file))
    .filter(isElf);

describe.each(builds)('build.sh %s on this machine', () => {
  test('the build: it ends well, says what it made, and leaves no temporary folder', () => {
    process.stdout.write(`${built.stdout.trim()} (${buildSeconds.toFixed(1)} s)\n`);
    expect(built.stderr).toBe('');
    expect(built.status).toBe(0);
    expect(built.stdout).toMatch(new RegExp(`^pg${major}: PostgreSQL ${major}\\.\\S+ for ${native}, 3 programs and `));
    expect(script.leftovers()).toEqual([]);
  });

  test('the programs with an empty environment: each tells its version', () => {
    const versions = PROGRAMS.map((program) =>
      spawnSync(join(root, 'bin', program), ['--version'], { env: {}, encoding: 'utf8' }).stdout.trim(),
    );

    for (const [index, program] of PROGRAMS.entries())
      expect(versions[index]).toMatch(new RegExp(`^${program} \\(PostgreSQL\\) ${major}\\.\\d+`));
  });

  test('every library that a program loads: it lies in the layer, or is one of the glibc of Lambda', () => {
    const own = join(root, 'glibc');
    const loader = existsSync(own)
      ? join(own, readdirSync(own).find((name) => name.startsWith('ld-')) ?? '')
      : { arm64: '/lib/ld-linux-aarch64.so.1', x86_64: '/lib64/ld-linux-x86-64.so.2' }[native];
    const outside = new Set<string>();
    for (const program of PROGRAMS) {
      const options = ['--library-path', `${join(root, 'lib')}:${own}`, '--list', join(root, 'programs', program)];
      const { stdout, status } = spawnSync(loader, options, { env: {}, encoding: 'utf8' });
      expect(status).toBe(0);
      expect(stdout).toContain(`libpq.so.5 => ${join(root, 'lib', 'libpq.so.5')}`);
      for (const [, name = '', path = ''] of stdout.matchAll(/(\S+) => (\S+)/g))
        if (relative(root, path).startsWith('..')) outside.add(name);
    }

    expect([...outside].filter((name) => !GLIBC.test(name))).toEqual([]);
    expect(existsSync(own) ? [...outside] : []).toEqual([]);
  });

  test('the symbols of glibc: none is newer than Lambda has, unless a glibc of its own is with it', () => {
    const { stdout } = spawnSync('readelf', ['-V', ...elfFiles(root)], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    const newest = Math.max(...[...stdout.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor)));

    expect(newest).toBeGreaterThan(0);
    if (!existsSync(join(root, 'glibc'))) expect(newest).toBeLessThanOrEqual(LAMBDA_GLIBC);
    // Lambda puts /opt/lib on the path of node itself.
    expect(readdirSync(layer)).toEqual([`pg${major}`]);
  });

  test('its size: below 60 MB of the 250 that a function and its layers may have', () => {
    const bytes = filesBelow(root).reduce((sum, file) => sum + lstatSync(join(root, file)).size, 0);

    expect(bytes).toBeGreaterThan(5_000_000);
    expect(bytes).toBeLessThan(60_000_000);
  });

  test('packages and licences: each package is named with its version, and its licence is there', () => {
    const packages = readFileSync(join(root, 'packages.txt'), 'utf8').trim().split('\n');
    const licences = readdirSync(join(root, 'licences'));

    expect(packages).toContainEqual(expect.stringMatching(new RegExp(`^postgresql-client-${major} ${major}\\.`)));
    expect(packages).toContainEqual(expect.stringMatching(/^libssl3\S* 3\./));
    expect(packages.filter((line) => !licences.includes(line.split(' ')[0] ?? ''))).toEqual([]);
    expect(licences).toContain('GPL-3');
  });

  test('a second build: names, modes, times and contents are the same', () => {
    const again = join(folder, 'again');
    const fingerprint = (place: string) =>
      filesBelow(place).map((file) => {
        const { mode, mtimeMs } = lstatSync(join(place, file));
        const content = lstatSync(join(place, file)).isFile() ? readFileSync(join(place, file)) : '';
        return [file, mode, mtimeMs, createHash('sha256').update(content).digest('hex')];
      });

    expect(script.run([native, again, String(major)]).stderr).toBe('');

    expect(fingerprint(again)).toEqual(fingerprint(layer));
  });
});

/** Debian serves all processors from one place; Ubuntu does not. */
const bothProcessors = builds.filter(
  () => native === 'arm64' || /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8')),
);

describe.each(bothProcessors)('synth without Docker, on %s', () => {
  test('the layer of the functions, which run on arm64: every file is for it, and no library is missing', () => {
    const out = mkdtempSync(join(folder, 'arm64-'));
    // An engine that does not run.
    const environment = { ...script.environment, CDK_DOCKER: '/bin/false' };
    const say = vi.spyOn(process.stderr, 'write').mockReturnValue(true);

    const done = buildHere([String(major)], environment).tryBundle(out, { image: DockerImage.fromRegistry('none') });

    const said = say.mock.calls.join('');
    say.mockRestore();
    process.stdout.write(said);
    const files = elfFiles(out);
    const { stdout } = spawnSync('readelf', ['-h', '-d', ...files], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    const machines = [...stdout.matchAll(/Machine: +(\S+)/g)].map(([, machine]) => machine);
    const needed = [...stdout.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name);
    const there = new Set(files.map((file) => basename(file)));
    expect(done).toBe(true);
    expect(said).toContain(`PostgreSQL ${major}.`);
    expect(machines).toEqual(files.map(() => 'AArch64'));
    expect(needed.length).toBeGreaterThan(files.length);
    expect(needed.filter((name) => !there.has(name) && !GLIBC.test(name))).toEqual([]);
    expect(script.leftovers()).toEqual([]);
  });
});

describe.each(
  builds.flatMap(() => [
    ['with the glibc that fits the packages', layer],
    ['for a system with an older glibc', join(folder, 'older')],
  ]),
)('a dump by the programs %s', (_, place) => {
  let cluster: ThrowawayCluster;

  beforeAll(async () => {
    // As for a system whose glibc is too old for the packages.
    if (place !== layer) expect(script.run(['--glibc', '2.17', native, place, String(major)]).stderr).toBe('');
    cluster = await startThrowawayCluster();
    const client = new Client({
      host: cluster.host,
      port: cluster.port,
      ...cluster.superuser,
      database: 'postgres',
      ssl: { ca: readFileSync(cluster.caFile, 'utf8') },
    });
    await client.connect();
    try {
      await client.query(
        "create table orders as select id, 'order ' || id as title from generate_series(1, 1000) as id",
      );
    } finally {
      await client.end();
    }
  });
  afterAll(async () => await cluster?.stop());

  async function runTool(program: ClientProgram, args: string[], input: Buffer | string = '') {
    const { user, password } = cluster.superuser;
    const tool = startClientTool({
      tools: await findClientTools(place, major),
      program,
      args,
      credentials: {
        host: cluster.host,
        port: cluster.port,
        username: user,
        password: new SecretText(password),
        dbname: 'postgres',
      },
      dbname: 'postgres',
      tls: { mode: 'verify-full', caFile: cluster.caFile },
      applicationName: 'nightshift/test',
    });
    tool.stdin.end(input);
    const chunks: Buffer[] = [];
    for await (const chunk of tool.stdout) chunks.push(chunk);
    return { ...(await tool.ended), output: Buffer.concat(chunks) };
  }

  test('over TLS with the server proven: rows and roles are dumped, and the archive gives all of them back', async () => {
    const { directory } = await findClientTools(place, major);
    const dump = await runTool('pg_dump', ['-Fc']);
    const roles = await runTool('pg_dumpall', ['--globals-only', '--no-role-passwords']);
    const sql = await runTool('pg_restore', ['--file=-'], dump.output);

    expect(directory).toBe(join(place, `pg${major}`, 'bin'));
    expect(existsSync(join(place, `pg${major}`, 'glibc'))).toBe(place !== layer || existsSync(join(root, 'glibc')));
    expect([dump.messages, roles.messages, sql.messages]).toEqual(['', '', '']);
    expect([dump.exitCode, roles.exitCode, sql.exitCode]).toEqual([0, 0, 0]);
    expect(roles.output.toString()).toContain('CREATE ROLE postgres');
    expect(sql.output.toString()).toContain(`Dumped by pg_dump version ${major}.`);
    expect(sql.output.toString().match(/^\d+\torder \d+$/gm)).toHaveLength(1_000);
  });
});
