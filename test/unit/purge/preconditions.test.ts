import { describe, expect, test } from 'vitest';
import { familyOf } from '../../../functions/purge/links/family.ts';
import type { TableFacts } from '../../../functions/purge/links/read-tables.ts';
import { planHash, requirePlan } from '../../../functions/purge/plan/plan-hash.ts';
import {
  findFamilyProblems,
  findPolicyProblems,
  SMALL_TABLE_BYTES,
} from '../../../functions/purge/policy/find-problems.ts';
import { withReadableBlockers } from '../../../functions/purge/policy/known-tables.ts';
import type { RetentionPolicy } from '../../../functions/purge/policy/read-policies.ts';
import { graphOf, link, policyOf, tableFacts } from './purge-facts.ts';

describe('findPolicyProblems', () => {
  test('a policy that may run, on a timestamp of any precision: no problem', () => {
    const precise = { name: 'created_at', type: 'timestamp(3) with time zone', generated: false };

    expect(findPolicyProblems(policyOf(), tableFacts())).toEqual([]);
    expect(findPolicyProblems(policyOf(), tableFacts({ columns: [precise] }))).toEqual([]);
  });

  test.each<[string, Partial<RetentionPolicy>, Partial<TableFacts> | undefined, string]>([
    ['there is no such table', {}, undefined, 'table "app.event" does not exist'],
    ['the cutoff is not in the past', { is_past: false }, {}, 'not in the past'],
    ['the predicate has a parameter', { predicate: 'kind = $1' }, {}, 'has a parameter'],
    ['the relation is a view', {}, { kind: 'v' }, 'is no table'],
    ['the column is gone', { timestamp_column: 'gone' }, {}, 'column "gone" does not exist'],
    ['the column is no time', { timestamp_column: 'id' }, {}, 'has type bigint'],
    ['the marker is gone', { marker_column: 'done_at' }, {}, 'column "done_at" does not exist'],
    ['the table is large and has no index', {}, { leading_columns: ['id'] }, 'no index that begins with "created_at"'],
  ])('%s: the problem is named with what to do', (_, policyPart, facts, problem) => {
    const problems = findPolicyProblems(policyOf(policyPart), facts && tableFacts(facts));

    expect(problems.map((one) => one.problem)).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]?.hint).not.toBe('');
  });

  test('a small table without index: allowed', () => {
    const small = tableFacts({ leading_columns: [], bytes: SMALL_TABLE_BYTES });

    expect(findPolicyProblems(policyOf(), small)).toEqual([]);
  });
});

describe('findFamilyProblems', () => {
  const links = [
    link('item > event'),
    link('visit > event', 'set null'),
    { ...link('bill > event', 'restrict'), hasIndex: false },
  ];
  const family = familyOf(graphOf(links), 'event');
  if ('cycle' in family) throw new RangeError('there is a circle');
  const tables = (more: Record<string, Partial<TableFacts>> = {}) =>
    new Map(
      ['event', 'item', 'visit', 'bill'].map((name) => [
        name,
        tableFacts({ table_oid: name, table_name: name, updatable: ['event_id'], bytes: 1_000, ...more[name] }),
      ]),
    );
  const problemsOf = (more: Record<string, Partial<TableFacts>>) =>
    findFamilyProblems(tables(more), family).map(({ problem }) => problem);

  test('all rights, small tables: no problem', () => {
    expect(problemsOf({})).toEqual([]);
  });

  test.each<[string, Record<string, Partial<TableFacts>>, string]>([
    ['no right to read', { event: { may_select: false, may_delete: false } }, 'lacks select, delete on "app"."event"'],
    ['no right to delete children', { item: { may_delete: false } }, 'lacks delete on "app"."item"'],
    ['no right to unlink', { visit: { updatable: ['id'] } }, 'lacks update ("event_id") on "app"."visit"'],
    [
      'row security cuts a child',
      { item: { row_security_cuts: true } },
      'row level security hides rows of "app"."item"',
    ],
    [
      'a large child without index',
      { bill: { bytes: 1e9 } },
      'foreign key "bill_event_fkey" of "app.bill" (954 MiB) has no index',
    ],
  ])('%s: the problem is named', (_, more, problem) => {
    expect(problemsOf(more)).toEqual([expect.stringContaining(problem)]);
  });

  test('row security that shows every row: no problem', () => {
    expect(problemsOf({ event: { row_security_cuts: true, row_security_shows_all: true } })).toEqual([]);
  });

  test('an anonymised table needs the right to update its columns and nothing of its children', () => {
    const problems = findFamilyProblems(tables({ item: { may_delete: false } }), family, ['email', 'event_id']);

    expect(problems.map(({ hint }) => hint)).toEqual([
      'grant update ("email", "event_id") on "app"."event" to "nightshift_purge"',
    ]);
  });

  test('a referencing table that may not be read is left out and named', () => {
    const cut = withReadableBlockers(family, tables({ bill: { may_select: false } }));

    expect(cut.unreadable).toEqual(['app.bill']);
    expect(cut.family.top.blockers).toEqual([]);
  });
});

describe('planHash', () => {
  const hash = (policy: RetentionPolicy) => planHash([{ policy, shape: ['delete', 'app.event'] }]);

  test('the moment moves: the same; the policy is another one: another hash, and the run is refused', () => {
    const planned = hash(policyOf());

    expect(hash(policyOf({ cutoff: '2019-11-23 00:00:00+00' }))).toBe(planned);
    expect(hash(policyOf({ predicate: 'true' }))).not.toBe(planned);
    expect(planHash([{ policy: policyOf(), shape: ['delete', 'app.visit'] }])).not.toBe(planned);
    expect(() => requirePlan(planned, planned)).not.toThrow();
    expect(() => requirePlan(planned, hash(policyOf({ version: 2 })))).toThrow('other policies or tables');
  });
});
