// What could not be compared: it is said, and is never taken for equal. And what a server lacks.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareItem, comparisonItems } from '../../functions/restore-drill/compare/compare-restored.ts';
import { compareTable } from '../../functions/restore-drill/compare/compare-table.ts';
import { addComparisons, comparison } from '../../functions/restore-drill/compare/comparison.ts';
import { findLacks } from '../../functions/restore-drill/compare/find-lacks.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type CompareWorld, createCompareWorld } from '../support/compare-world.ts';

let world: CompareWorld;

beforeAll(async () => {
  world = await createCompareWorld();
});

afterAll(async () => {
  await world.drop();
});

describe('compareRestored', () => {
  test('the backup was not verified: rows are counted, and that is said', async () => {
    const { notProven, differenceCount, compared } = await world.compare(world.restored, { verified: undefined });

    expect(notProven).toEqual(['values of rows: only counted, because this backup was not verified']);
    expect({ differenceCount, rows: compared.rows }).toEqual({ differenceCount: 0, rows: 3_527 });
  });

  test('the backup has no inventory: everything else is compared, and what is not is said', async () => {
    const { notProven, differenceCount, compared } = await world.compare(world.restored, { inventory: undefined });

    expect(notProven).toEqual([
      'definitions were not compared: this backup has no inventory',
      'values of rows: only counted, because this backup has no inventory',
    ]);
    expect({ differenceCount, definitions: compared.definitions }).toEqual({ differenceCount: 0, definitions: 0 });
  });

  test('its inventory could not be read when it was made: the reason is said', async () => {
    const inventory = world.expected.inventory && {
      ...world.expected.inventory,
      entries: null,
      problem: 'SQLSTATE 55P03: lock',
    };

    const { notProven } = await world.compare(world.restored, { inventory });

    expect(notProven).toEqual([
      'definitions were not compared: its inventory could not be read when it was made (SQLSTATE 55P03: lock)',
    ]);
  });

  test('the source is of another major: names only, so a missing index is told and another definition is not', async () => {
    const name = await world.changed('drop index app.orders_by_state; alter table app.orders disable trigger stamp');
    const inventory = world.expected.inventory && { ...world.expected.inventory, major: 13 };

    const { differences, notProven } = await world.compare(name, { inventory });

    expect(differences.map(({ what }) => what)).toEqual(['index "app"."orders" "orders_by_state"']);
    expect(notProven).toEqual([expect.stringContaining('only their names were compared')]);
  });

  test('money was written in a locale that this server does not have: counted, and that is said of this table', async () => {
    const inventory = world.expected.inventory && {
      ...world.expected.inventory,
      database: { ...world.expected.inventory.database, lcMonetary: 'xx_XX' },
    };

    expect(await world.compare(world.restored, { inventory })).toMatchObject({
      differenceCount: 0,
      notProven: ['values of table "app"."orders": only counted, because lc_monetary cannot be "xx_XX" on this server'],
    });
  });

  test('its items, one after the other on sessions of their own and through JSON: the same answer', async () => {
    const items: unknown = JSON.parse(JSON.stringify(comparisonItems(world.expected)));
    const database = world.database(world.restored);
    let sum = comparison({});
    for (const item of comparisonItems(world.expected)) {
      const answer = await database.withSession(
        async (session) => await compareItem(session, world.expected, item, new AbortController().signal),
      );
      sum = addComparisons(sum, answer);
    }
    await database.close();

    expect(items).toEqual(comparisonItems(world.expected));
    expect(sum).toEqual(await world.compare(world.restored));
  });

  test('a table of 60 MB as COPY text: read without keeping it', async () => {
    const rows = 200_000;
    const name = await world.changed(
      `create table app.wide as select n, repeat(md5(n::text), 9) as t from generate_series(1, ${rows}) n`,
    );
    const database = world.database(name);
    const wide = { schema: 'app', name: 'wide', rows, columns: ['n', 't'] };
    const contents = { digest: '0'.repeat(32), lcMonetary: 'C' };
    let most = 0;

    const before = process.memoryUsage().rss;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before);
    }, 5);
    const answer = await database.withSession(
      async (session) => await compareTable(session, { ...wide, contents }, new AbortController().signal),
    );
    clearInterval(watch);
    await database.close();

    expect(answer.differences).toEqual([expect.objectContaining({ what: 'table "app"."wide"' })]);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(40 * 2 ** 20);
  });

  test('the signal aborts while a table is read: the reason is thrown', async () => {
    const controller = new AbortController();
    const database = world.database(world.restored);
    const index = world.expected.manifest.tables.findIndex(({ name }) => name === 'readings');
    const comparing = database.withSession(async (session) => {
      const aborting: typeof session = {
        ...session,
        copyOut: async (sql, options) => {
          controller.abort(new Error('the time is over'));
          return await session.copyOut(sql, options);
        },
      };
      return await compareItem(aborting, world.expected, { kind: 'table', index }, controller.signal);
    });

    await expect(comparing).rejects.toThrow('the time is over');
    await database.close();
  });
});

describe('findLacks', () => {
  const lacks = async (
    more: Partial<Parameters<typeof findLacks>[1]>,
    database: object = {},
    collations: string[] = [],
  ) =>
    await world.fresh.database('restore-drill').withSession(
      async (session) =>
        await findLacks(
          session,
          { ...world.expected.manifest, ...more },
          world.expected.inventory && {
            ...world.expected.inventory,
            collations,
            database: { ...world.expected.inventory.database, ...database },
          },
        ),
    );

  test('the server that the backup came from: nothing lacks', async () => {
    expect(await lacks({}, {}, world.expected.inventory?.collations)).toEqual([]);
  });

  test('an extension, a role, a collation and a locale that it does not have: each by name', async () => {
    const found = await lacks(
      {
        extensions: [
          { name: 'hstore', version: '1' },
          { name: 'no_such', version: '1' },
        ],
        roles: ['nobody_here'],
      },
      { collate: 'xx_XX.utf8' },
      ['C', 'xx-x-icu'],
    );

    expect(found.map(({ what }) => what)).toEqual([
      'collation "xx-x-icu"',
      'extension "no_such"',
      'locale "xx_XX.utf8"',
      'role "nobody_here"',
    ]);
  });
});

test('the inventory in the bucket: it is what the manifest says, and small', () => {
  const key = backupKeys('shop', world.expected.manifest.backupId).inventory;
  const stored = readFileSync(join(world.aws.bucketFolder, key), 'utf8');

  expect(stored.length / (world.expected.inventory?.entries?.length ?? 1)).toBeLessThan(150);
  expect(stored).not.toContain('begin return new');
});
