// VACUUM (ANALYZE) after a purge: done where the role may, and told where it may not.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { vacuumTables } from '../../functions/purge/after/vacuum.ts';
import type { TableFacts } from '../../functions/purge/links/read-tables.ts';
import type { DatabaseSession } from '../../functions/shared/database.ts';
import { createPurgeWorld, type PurgeWorld } from './purge-world.ts';

let world: PurgeWorld;
beforeAll(async () => {
  world = await createPurgeWorld();
});
beforeEach(async () => {
  await world.reset();
  await world.addPolicy();
});
afterAll(async () => await world.close());

const lastVacuum = async () =>
  (await world.fresh.query<{ last: Date | null }>("select pg_stat_get_last_vacuum_time('app.event'::regclass) as last"))
    .rows[0]?.last ?? null;

describe('after a purge', () => {
  test('the role owns the table: it is vacuumed and analyzed', async () => {
    await world.fresh.query(
      `grant create on schema app to ${world.role.user}; alter table app.event owner to ${world.role.user}`,
    );

    expect((await world.purge()).policy).toMatchObject({ rowsDone: 40, vacuum: 'done', warnings: [] });
    await expect.poll(lastVacuum, { timeout: 10_000 }).not.toBeNull();
  });

  test('the role may not, and before PostgreSQL 17 nobody could let it: said as a fact, without a warning each night', async () => {
    expect((await world.purge()).policy).toMatchObject({ rowsDone: 40, vacuum: 'not permitted', warnings: [] });
    expect(await lastVacuum()).toBeNull();
  });

  test('nothing was removed: nothing to do', async () => {
    await world.fresh.query("update nightshift.retention_policy set retention = '500 days'");

    expect((await world.purge()).policy).toMatchObject({ rowsDone: 0, vacuum: 'not needed' });
  });
});

describe('vacuumTables', () => {
  const table = { table_oid: '1', label: 'app.event', qualified: '"app"."event"', role_name: 'p' } as TableFacts;
  const answers = (row: object) =>
    ({ query: async () => ({ rows: [row], rowCount: 1 }) }) as unknown as DatabaseSession;

  test('a server on which a grant would help: a warning with the GRANT', async () => {
    expect(await vacuumTables(answers({ may_vacuum: false, grant_helps: true }), [table], 5_000)).toEqual({
      outcome: 'not permitted',
      warnings: [expect.stringContaining('grant maintain on "app"."event" to "p"')],
    });
  });

  test('no time is left: said', async () => {
    expect(await vacuumTables(answers({ may_vacuum: true, grant_helps: false }), [table], 500)).toEqual({
      outcome: 'out of time',
      warnings: [],
    });
  });
});
