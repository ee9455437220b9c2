// Finds the PostgreSQL server and client programs on this machine; says what was looked for, and where, when there are none.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { LocalRunError } from '../local-run-error.ts';

/** Supported majors, newest first. */
export const SUPPORTED_MAJORS = [18, 17, 16, 15, 14] as const;

const SERVER_PROGRAMS = ['initdb', 'postgres'] as const;
const CLIENT_PROGRAMS = ['pg_dump', 'pg_dumpall', 'pg_restore'] as const;

export interface PostgresBinaries {
  directory: string;
  major: number;
}

/** Folders in which packagers put one PostgreSQL major each: Debian/Ubuntu, Red Hat, Homebrew (both processors), Postgres.app. */
const VERSIONED_PLACES = (major: number) => [
  `/usr/lib/postgresql/${major}/bin`,
  `/usr/pgsql-${major}/bin`,
  `/opt/homebrew/opt/postgresql@${major}/bin`,
  `/usr/local/opt/postgresql@${major}/bin`,
  `/Applications/Postgres.app/Contents/Versions/${major}/bin`,
];

/**
 * The newest supported PostgreSQL with server and client programs.
 *
 * `places` replaces the folders that are searched; NIGHTSHIFT_POSTGRES_BIN, when given, is the only one.
 */
export function findPostgres(places: readonly string[] = defaultPlaces()): PostgresBinaries {
  const found = findAll(places, [...SERVER_PROGRAMS, ...CLIENT_PROGRAMS]);
  const newest = found.toSorted((a, b) => b.major - a.major)[0];
  if (newest) return newest;
  throw new LocalRunError(
    `no PostgreSQL ${SUPPORTED_MAJORS.at(-1)} to ${SUPPORTED_MAJORS[0]} was found. Looked for ${[...SERVER_PROGRAMS, ...CLIENT_PROGRAMS].join(', ')} in:\n${places.map((place) => `  ${place}`).join('\n')}\nNothing was started`,
    'install it (Debian/Ubuntu: sudo apt-get install -y postgresql; macOS: brew install postgresql@17) or set NIGHTSHIFT_POSTGRES_BIN to the folder with these programs',
  );
}

/** All folders with pg_dump, pg_dumpall and pg_restore, for the place where Lambda has its layer. */
export function findClientDirectories(places: readonly string[] = defaultPlaces()): PostgresBinaries[] {
  return findAll(places, [...CLIENT_PROGRAMS]);
}

/** Where PostgreSQL is looked for, in order. */
export function defaultPlaces(environment: NodeJS.ProcessEnv = process.env): string[] {
  const chosen = environment['NIGHTSHIFT_POSTGRES_BIN']?.trim();
  if (chosen) return [chosen];
  const onPath = (environment['PATH'] ?? '').split(delimiter).filter((folder) => existsSync(join(folder, 'initdb')));
  return [...onPath, ...SUPPORTED_MAJORS.flatMap(VERSIONED_PLACES)];
}

function findAll(places: readonly string[], programs: readonly string[]): PostgresBinaries[] {
  const found = new Map<string, PostgresBinaries>();
  for (const place of places) {
    if (!existsSync(place) || !programs.every((program) => existsSync(join(place, program)))) continue;
    const directory = dirname(realpathSync(join(place, 'pg_dump')));
    const usable = programs.every((program) => readdirSync(directory).includes(program)) ? directory : place;
    const major = majorOf(join(usable, 'pg_dump'));
    if (major !== undefined && SUPPORTED_MAJORS.some((one) => one === major))
      found.set(usable, { directory: usable, major });
  }
  return [...found.values()];
}

function majorOf(program: string): number | undefined {
  try {
    const version = execFileSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 });
    const major = /\s(\d+)(?:\.|beta|rc|devel)/.exec(version)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    return undefined;
  }
}
