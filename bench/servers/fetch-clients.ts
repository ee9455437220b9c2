// The client programs for the server of the benchmark: pg_dump of its major or the next newer one, from this machine or
// unpacked from packages by the build script of the layer (so with a glibc of their own where this machine's is older).
import { join } from 'node:path';
import { LocalRunError } from '../../local/local-run-error.ts';
import { defaultPlaces, findClientDirectories, type PostgresBinaries } from '../../local/postgres/find-binaries.ts';
import { cached, isExecutable, repository, run } from './bench-cache.ts';

const NEWEST_MAJOR = 18;

export interface BenchClients extends PostgresBinaries {
  /** psql may be of another major: it only passes on what the server sends. */
  psql: string;
}

/** The programs; throws LocalRunError when they cannot be had. */
export async function fetchClients(
  major: number,
  aptSources: string | undefined,
  signal: AbortSignal,
): Promise<BenchClients> {
  const psql = findProgram('psql');
  const installed = findClientDirectories()
    .filter((found) => found.major >= major)
    .toSorted((a, b) => a.major - b.major)[0];
  if (installed) return { ...installed, psql };
  let lastError: unknown;
  for (let wanted = major; wanted <= NEWEST_MAJOR; wanted += 1) {
    try {
      return { directory: await build(wanted, aptSources, signal), major: wanted, psql };
    } catch (error) {
      signal.throwIfAborted();
      // Debian releases have one major each: a newer one will do, the error of the wanted one tells most.
      lastError ??= error;
    }
  }
  throw lastError;
}

/** A client program of this machine, of any major: for what does not depend on it. Throws LocalRunError when there is none. */
export function findProgram(name: 'psql' | 'vacuumdb' | 'pgbench'): string {
  const found = defaultPlaces()
    .map((place) => join(place, name))
    .find(isExecutable);
  if (found !== undefined) return found;
  throw new LocalRunError(
    `there is no ${name} on this machine. No benchmark was run`,
    'install the PostgreSQL client programs',
  );
}

async function build(major: number, aptSources: string | undefined, signal: AbortSignal): Promise<string> {
  const processor = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const script = join(repository, 'layers/postgres-client/build.sh');
  const sources = aptSources === undefined ? [] : ['--apt-sources', aptSources];
  const folder = await cached(`clients-${major}-${process.arch}`, async (fresh) => {
    const args = [script, '--glibc', glibcVersion(), ...sources, processor, join(fresh, 'out'), String(major)];
    await run('bash', args, {
      signal,
      hint: `install the client programs of PostgreSQL ${major}, or name package sources that have them: --apt-sources FILE with a line of apt's sources.list, as of Debian 13 for 17`,
    });
  });
  return join(folder, 'out', `pg${major}`, 'bin');
}

/** Of this machine, as 2.36: libraries that need a newer one get it beside them. */
function glibcVersion(): string {
  const report: unknown = process.report.getReport();
  const header: unknown = typeof report === 'object' && report !== null ? Reflect.get(report, 'header') : undefined;
  const version: unknown =
    typeof header === 'object' && header !== null ? Reflect.get(header, 'glibcVersionRuntime') : undefined;
  return typeof version === 'string' ? version : '2.34';
}
