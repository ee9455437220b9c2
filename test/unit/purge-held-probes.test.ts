// Which questions tell whether a partition is held, and when they cannot be asked.
import { describe, expect, test } from 'vitest';
import {
  type HoldRow,
  type KeyLink,
  probesOf,
  type TableOfPaths,
} from '../../functions/purge/partitions/held-probes.ts';

const PARTITION = 1;
const PARENT = 2;
const PERSON = 100;

function table(oid: number, more: Partial<TableOfPaths> = {}): TableOfPaths {
  const key_columns = [{ name: 'id', type: 'bigint' }];
  return { table_oid: oid, schema_name: 'app', table_name: `t"${oid}`, key_columns, classified: [], ...more };
}

function hold(more: Partial<HoldRow> = {}): HoldRow {
  const base = { hold_id: '7', key_value: '55', is_subject: true, table_oid: PERSON, table_name: 'app.person' };
  return { ...base, is_own: false, ...more };
}

function link(from_oid: number, to_oid: number): KeyLink {
  return { from_oid, to_oid, from_columns: ['other id'], to_columns: ['id'] };
}

function ask(links: KeyLink[], holds: HoldRow[] = [hold()], more: TableOfPaths[] = []) {
  const oids = new Set([PARTITION, PARENT, PERSON, ...links.flatMap(({ from_oid, to_oid }) => [from_oid, to_oid])]);
  const tables = [
    ...more,
    ...[...oids].filter((oid) => more.every(({ table_oid }) => table_oid !== oid)).map((oid) => table(oid)),
  ];
  return probesOf({ tableOid: PARTITION, parentOid: PARENT, holds, links, tables });
}

describe('probesOf', () => {
  test('a held person is not reached: there is nothing to ask', () => {
    expect(ask([link(PARTITION, 5)])).toEqual({ probes: [] });
  });

  test('a person two tables away: one question that joins them, every name quoted', () => {
    expect(ask([link(PARTITION, 5), link(5, PERSON)])).toEqual({
      probes: [
        {
          sql: 'select exists (select from "app"."t""1" as t0 join "app"."t""5" as t1 on t0."other id" = t1."id" join "app"."t""100" as t2 on t1."other id" = t2."id" join unnest($1::text[]) as held (key) on t2."id" = held.key::bigint) as is_held',
          keys: ['55'],
          holdIds: ['7'],
        },
      ],
    });
  });

  test('two ways to the person and a circle: two questions, and an end', () => {
    const { probes } = ask([
      link(PARTITION, PERSON),
      link(PARTITION, 5),
      link(5, PERSON),
      link(PERSON, 5),
      link(5, PARTITION),
    ]);

    expect(probes).toHaveLength(2);
  });

  test('a key of a table inside of the partition: the question begins there', () => {
    expect(ask([link(3, PERSON)]).probes[0]?.sql).toContain('from "app"."t""3" as t0');
  });

  test('a classified column of the parent names the person: the partition is asked', () => {
    const classified = [{ name: 'customer', subjectOid: PERSON }];

    expect(ask([], [hold()], [table(PARENT, { classified })]).probes[0]?.sql).toContain(
      'from "app"."t""1" as t0 join unnest($1::text[]) as held (key) on t0."customer"::text = (held.key::bigint)::text',
    );
  });

  test.each([
    ['too many', Array.from({ length: 201 }, (_, position) => link(PARTITION, 1_000 + position))],
    [
      'too long',
      Array.from({ length: 10 }, (_, position) => link(position === 0 ? PARTITION : 500 + position, 501 + position)),
    ],
  ])('the ways are %s: it cannot be told', (_, links) => {
    expect(ask(links)).toEqual({ probes: [], untold: expect.stringMatching(/cannot be told/) });
  });

  test('the held table has no primary key: it cannot be told where it is reached, elsewhere it does not matter', () => {
    const keyless = [table(PERSON, { key_columns: [] })];

    expect(ask([link(PARTITION, PERSON)], [hold()], keyless).untold).toMatch(
      /names a row of app\.person, which has no primary key/,
    );
    expect(ask([], [hold()], keyless)).toEqual({ probes: [] });
  });
});
