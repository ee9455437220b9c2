// The pairs of server and client programs with which the archive is proven. `npm test` has the pair of this machine,
// `npm run test:matrix` all of them.

export interface Cell {
  readonly server: number;
  /** Major of pg_dump and pg_restore: never older than the server. */
  readonly client: number;
  /** Release of Debian whose packages have that client, where this machine's own packages have it not. */
  readonly release?: string;
}

/** Client 15 is that of Debian 12; there is no release with 14 or 16, so those servers get the next newer one. */
const CELLS: readonly Cell[] = [
  { server: 14, client: 15, release: 'bookworm' },
  { server: 15, client: 15, release: 'bookworm' },
  { server: 16, client: 17, release: 'trixie' },
  { server: 17, client: 17, release: 'trixie' },
  { server: 18, client: 18, release: 'sid' },
];

const PREFIX = 'matrix-';
/** Name of the only vitest project when not all cells were asked for. */
const OF_THIS_MACHINE = 'matrix';

/** Names of the vitest projects to run, one for each cell. */
export function matrixProjects(wanted = process.env['NIGHTSHIFT_MATRIX']): readonly string[] {
  return wanted === 'all' ? CELLS.map(({ server }) => `${PREFIX}${server}`) : [OF_THIS_MACHINE];
}

/** The cell of a vitest project; undefined is that of this machine, whichever it has. */
export function cellOf(projectName: string): Cell | undefined {
  return CELLS.find(({ server }) => projectName === `${PREFIX}${server}`);
}
