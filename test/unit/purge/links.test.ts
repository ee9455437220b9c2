import { describe, expect, test } from 'vitest';
import { erasureTables } from '../../../functions/purge/erase/erasure-tables.ts';
import { type Family, familyOf, nodesOf, orderOf } from '../../../functions/purge/links/family.ts';
import { pathsToSubject } from '../../../functions/purge/links/paths-to-subject.ts';
import { orderPolicies } from '../../../functions/purge/policy/order-policies.ts';
import { graphOf, link, policyOf } from './purge-facts.ts';

function familyIn(links: Parameters<typeof graphOf>[0], top: string): Family {
  const family = familyOf(graphOf(links), top);
  if ('cycle' in family) throw new RangeError(family.cycle.join(' → '));
  return family;
}

describe('familyOf', () => {
  test('children, grandchildren and a diamond: each table is deleted before those that it references', () => {
    const family = familyIn(
      [link('item > order'), link('note > item'), link('note > order'), link('order > shop')],
      'order',
    );

    expect(family.order).toEqual(['note', 'item', 'order']);
    expect(nodesOf(family.top).map(({ path }) => path.join('/'))).toEqual([
      'order/item',
      'order/item/note',
      'order/note',
    ]);
  });

  test('two children of which one references the other without a cascade: the referencing one goes first', () => {
    expect(familyIn([link('a > top'), link('b > top'), link('b > a', 'no action')], 'top').order).toEqual([
      'b',
      'a',
      'top',
    ]);
  });

  test('keys that keep, keys that set null, a key to itself: each in its place', () => {
    const family = familyIn(
      [
        link('bill > order', 'restrict'),
        link('visit > order', 'set null'),
        link('order > order', 'no action'),
        link('line > bill', 'cascade'),
      ],
      'order',
    );

    expect(family.order).toEqual(['order']);
    expect(family.top.blockers.map((one) => one.link.name)).toEqual(['bill_order_fkey']);
    expect(family.top.selfLinks.map((one) => one.link.name)).toEqual(['order_order_fkey']);
    expect(family.top.children.map(({ oid, action }) => [oid, action])).toEqual([['visit', 'set null']]);
  });

  test.each([
    ['a cascade back to the table', [link('b > a'), link('a > b')], ['a', 'b', 'a']],
    ['a cascade among children', [link('b > a'), link('c > b'), link('b > c')], ['b', 'c', 'b']],
    ['a key of the table to its child', [link('b > a'), link('a > b', 'set null')], ['a', 'b', 'a']],
  ])('%s: the circle is named', (_, links, cycle) => {
    expect(familyOf(graphOf(links), 'a')).toEqual({ cycle });
  });

  test('a circle that only passes by: no matter', () => {
    expect(familyIn([link('x > y'), link('y > x'), link('b > a')], 'a').order).toEqual(['b', 'a']);
  });
});

describe('linkGraph with inheritance', () => {
  const partition = { childOid: 'p1', parentOid: 'root', isPartition: true };
  const heir = { childOid: 'heir', parentOid: 'old', isPartition: false };

  test('a key to a partitioned table covers its partitions, one to a partition only that', () => {
    const graph = graphOf([link('a > root'), link('b > p1')], [partition]);

    expect(graph.toTable('p1').map((one) => [one.link.childOid, one.only])).toEqual([
      ['b', undefined],
      ['a', undefined],
    ]);
    expect(graph.toTable('root').map((one) => [one.link.childOid, one.only])).toEqual([
      ['a', undefined],
      ['b', ['p1']],
    ]);
  });

  test('a key to a table with heirs covers its own rows alone', () => {
    const graph = graphOf([link('a > old'), link('b > heir')], [heir]);

    expect(graph.toTable('old').map((one) => [one.link.childOid, one.only])).toEqual([
      ['a', ['old']],
      ['b', ['heir']],
    ]);
    expect(graph.toTable('heir').map((one) => one.link.childOid)).toEqual(['b']);
  });
});

describe('orderOf', () => {
  test('no key decides: the given order stays', () => {
    expect(orderOf(graphOf([]), ['c', 'a', 'b'])).toEqual({ order: ['c', 'a', 'b'] });
  });

  test('a thousand tables in a chain: the last child first', () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `t${index}`);
    const links = names.slice(1).map((name, index) => link(`${name} > t${index}`, 'no action'));

    expect(orderOf(graphOf(links), names)).toEqual({ order: names.toReversed() });
  });
});

describe('orderPolicies', () => {
  const policies = ['a', 'b', 'c'].map((name) => policyOf({ name, table_oid: name }));

  test('the policy of a child comes before that of its parent; else by name', () => {
    expect(orderPolicies(graphOf([link('c > a', 'no action')]), policies).map(({ name }) => name)).toEqual([
      'b',
      'c',
      'a',
    ]);
  });

  test('a circle: by name', () => {
    const graph = graphOf([link('a > b', 'no action'), link('b > a', 'no action')]);

    expect(orderPolicies(graph, policies).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});

describe('pathsToSubject', () => {
  const graph = graphOf([
    link('order > user', 'no action'),
    link('item > order'),
    link('item > user', 'classified'),
    link('user > user', 'no action'),
    link('a > b'),
    link('b > a'),
  ]);
  const names = (from: string) =>
    pathsToSubject(graph, from, 'user').map((way) => way.map(({ link: { name } }) => name));

  test('every way, over keys and classified columns', () => {
    expect(names('item')).toEqual([['item_order_fkey', 'order_user_fkey'], ['item_user_fkey']]);
    expect(names('order')).toEqual([['order_user_fkey']]);
  });

  test('a table from which no way leads there, in a circle or not: none', () => {
    expect(names('a')).toEqual([]);
    expect(names('user')).toEqual([]);
  });
});

describe('erasureTables', () => {
  test('the person last, the others before what they reference; what is set null outlives the person', () => {
    const graph = graphOf([
      link('order > user', 'no action'),
      link('item > order'),
      link('audit > user', 'classified'),
      link('visit > user', 'set null'),
      link('page > visit'),
    ]);
    const tables = erasureTables(graph, 'user');
    if ('cycle' in tables) throw new RangeError('there is a circle');

    expect(tables.map(({ oid }) => oid)).toEqual(['audit', 'item', 'order', 'user']);
    expect(tables.map(({ ways }) => ways.length)).toEqual([1, 1, 1, 0]);
  });

  test('tables in a circle: named', () => {
    expect(erasureTables(graphOf([link('a > user'), link('user > a', 'no action')]), 'user')).toEqual({
      cycle: ['a', 'user', 'a'],
    });
  });
});
