// The user's own assertions, asked of a restored database.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAssertion } from '../../functions/restore-drill/compare/read-assertions.ts';
import { runAssertion } from '../../functions/restore-drill/compare/run-assertion.ts';
import { type CompareWorld, createCompareWorld } from '../support/compare-world.ts';

let world: CompareWorld;

beforeAll(async () => {
  world = await createCompareWorld();
});

afterAll(async () => {
  await world.drop();
});

describe('runAssertion', () => {
  const ask = async (query: string) => {
    const { differences, compared } = await world.compare(world.restored, {
      assertions: [parseAssertion('mine.sql', query)],
    });
    return { actual: differences.map(({ what, actual }) => `${what}: ${actual}`), asked: compared.assertions };
  };

  test.each([
    'select 1 as a, 2 as a where false;\n-- the end\n',
    "with o as (select * from app.orders) select id from o where state not in ('new', 'sent') order by id",
    'values (1) limit 0',
  ])('it returns no row (%s): it holds', async (query) => {
    expect(await ask(query)).toEqual({ actual: [], asked: 1 });
  });

  test('it returns rows: a difference with their number and no value', async () => {
    expect(await ask('select name from app.orders where id > 497')).toEqual({
      actual: ['assertion "mine.sql": 3 rows'],
      asked: 0,
    });
  });

  test.each([
    ['its table is not there', 'select from app.gone', 'SQLSTATE 42P01: relation "app.gone" does not exist'],
    ['it is no SQL', 'select from where', 'SQLSTATE 42601: syntax error at or near "where"'],
    [
      'a value does not fit, which the server quotes',
      'select 1 where (select max(name) from app.orders)::int > 1',
      'SQLSTATE 22P02',
    ],
    [
      'it wants to write',
      "select from app.orders where nextval('app.lone') > 0",
      'SQLSTATE 25006: cannot execute nextval() in a read-only transaction',
    ],
    ['it ends the parenthesis that it stands in', 'select 1) a; commit; select (1', 'SQLSTATE 42601'],
  ])('%s: a difference with the SQLSTATE', async (_, query, told) => {
    const assertion = { file: 'mine.sql', query };

    const { differences } = await world.compare(world.restored, { assertions: [assertion] });

    expect(differences).toEqual([
      { what: 'assertion "mine.sql"', expected: 'no row', actual: expect.stringContaining(told) },
    ]);
    expect(JSON.stringify(differences)).not.toMatch(/n\d{2}/);
  });

  test('it takes too long: a difference that says so, and the session goes on', async () => {
    const assertion = { file: 'mine.sql', query: 'select from pg_sleep(60)' };
    const database = world.database(world.restored);

    const answers = await database.withSession(async (session) => [
      await runAssertion(session, assertion, 50),
      await runAssertion(session, { ...assertion, query: 'select where false' }),
    ]);
    await database.close();

    expect(answers.map(({ differences }) => differences.map(({ actual }) => actual))).toEqual([
      ['SQLSTATE 57014: canceling statement due to statement timeout'],
      [],
    ]);
  });

  test('the assertions that we ship hold on an empty database, and one does not where an index is broken', async () => {
    const empty = await world.newDatabase('template0');
    const broken = await world.changed(
      "update pg_index set indisvalid = false where indexrelid = 'app.orders_by_state'::regclass",
    );
    const askShipped = async (name: string) => {
      const database = world.database(name);
      const answers = await database.withSession(
        async (session) =>
          await Promise.all(world.shippedAssertions.map(async (one) => await runAssertion(session, one))),
      );
      await database.close();
      return answers.flatMap(({ differences }) => differences.map(({ what, actual }) => `${what}: ${actual}`));
    };

    expect(world.shippedAssertions.map(({ file }) => file)).toEqual(['no-invalid-index.sql']);
    expect(await askShipped(empty)).toEqual([]);
    expect(await askShipped(broken)).toEqual(['assertion "no-invalid-index.sql": 1 rows']);
  });
});
