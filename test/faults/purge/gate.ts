// Stops a purge in the middle of a batch: a trigger on one row waits until the test lets it through.
import { expect } from 'vitest';
import type { PurgeWorld } from '../../database/purge-world.ts';

const LOCK = 4711;

/** Closes the gate before the row with this id of a table in schema app; `open` lets through whoever waits and whoever comes. */
export async function closeGate(
  { fresh, blockers }: PurgeWorld,
  table: string,
  id: string,
): Promise<{ open(): Promise<void> }> {
  const keeper = await fresh.client();
  blockers.push(keeper);
  await keeper.query(`select pg_advisory_lock(${LOCK})`);
  await fresh.query(`
    create function app.wait_at_gate() returns trigger language plpgsql as $$
    begin
      if to_jsonb(old) ->> 'id' = tg_argv[0] then
        -- Longer than purge would wait for a lock of the application.
        perform set_config('lock_timeout', '60s', true);
        perform pg_advisory_xact_lock(${LOCK});
      end if;
      return old;
    end $$;
    create trigger gate before delete on app.${table} for each row execute function app.wait_at_gate('${id}')`);
  return { open: async () => await keeper.end() };
}

/** Until somebody waits at the gate. */
export async function waitsAtGate({ fresh }: PurgeWorld): Promise<void> {
  // The locks of all databases of the cluster are there, and other tests have gates of their own.
  const waiting = async () =>
    (
      await fresh.query(
        `select from pg_locks where locktype = 'advisory' and objid = ${LOCK} and not granted
          and database = (select oid from pg_database where datname = current_database())`,
      )
    ).rowCount;
  await expect.poll(waiting, { timeout: 20_000 }).toBe(1);
}
