// Group roles that migrations make in a scratch database. Roles belong to the whole cluster, so they are made by the function
// of bootstrap in the live database, noted in the lease before, and dropped by its counterpart afterwards.
import type { DatabaseSession } from '../../shared/database.ts';

export interface ScratchRoles {
  /** Makes a role that a migration asks for. */
  make(name: string): Promise<void>;
  /** Drops it when this run has made it; one that was there before stays. */
  drop(name: string): Promise<void>;
  dropAll(): Promise<void>;
  /** Those that this run has made and that exist now, in order. */
  present(): Promise<string[]>;
}

/** What create_group_role takes; anything else it refuses in its own words. */
const ROLE_NAME = /^[a-z][a-z0-9_]*$/;

/** `note` is written beside the lease, for the run that sweeps after a crash. */
export function createScratchRoles(
  live: DatabaseSession,
  note: (text: string | undefined) => Promise<void>,
): ScratchRoles {
  const made = new Set<string>();

  async function present(): Promise<string[]> {
    if (made.size === 0) return [];
    const { rows } = await live.query<{ name: string }>(
      'select rolname::text as name from pg_catalog.pg_roles where rolname = any ($1::name[]) order by 1',
      [[...made]],
    );
    return rows.map(({ name }) => name);
  }

  return {
    present,
    make: async (name) => {
      if (ROLE_NAME.test(name)) {
        made.add(name);
        await note(noteOf(made));
      }
      await live.query('select nightshift.create_group_role($1)', [name]);
    },
    drop: async (name) => {
      if (made.has(name)) await live.query('select nightshift.drop_group_role($1)', [name]);
    },
    dropAll: async () => {
      for (const name of await present()) await live.query('select nightshift.drop_group_role($1)', [name]);
      made.clear();
    },
  };
}

function noteOf(made: ReadonlySet<string>): string {
  return `group roles ${[...made].toSorted().join(' ')}`;
}

/** Drops what a killed run had noted; a role with members or objects stays, as drop_group_role does it. */
export async function dropNotedRoles(live: DatabaseSession, noted: string | undefined): Promise<void> {
  const names = /^group roles (.+)$/.exec(noted ?? '')?.[1]?.split(' ') ?? [];
  for (const name of names.filter((one) => ROLE_NAME.test(one))) {
    await live.query('select nightshift.drop_group_role($1)', [name]);
  }
}
