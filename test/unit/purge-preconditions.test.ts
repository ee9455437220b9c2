import { describe, expect, test } from 'vitest';
import { explainFailure } from '../../functions/purge/explain-failure.ts';
import { findProblems, SMALL_TABLE_BYTES } from '../../functions/purge/find-problems.ts';
import { buildStatements } from '../../functions/purge/purge-statements.ts';
import type { RetentionPolicy } from '../../functions/purge/read-policies.ts';
import type { TableFacts } from '../../functions/purge/read-table-facts.ts';

const policy: RetentionPolicy = {
  name: 'events',
  schema_name: 'app',
  table_name: 'event',
  timestamp_column: 'created_at',
  retention: '7 years',
  predicate: null,
  action: 'delete',
  archive_before_delete: false,
  enabled: true,
  batch_rows: null,
  cutoff: '2019-11-22 00:00:00+00',
  is_past: true,
};

const facts: TableFacts = {
  table_oid: '1',
  kind: 'r',
  column_type: 'timestamp with time zone',
  key_columns: [{ name: 'id', type: 'bigint' }],
  has_index: true,
  bytes: 1e12,
  row_security_cuts: false,
  may_select: true,
  may_delete: true,
  may_lock: true,
  role_name: 'nightshift_purge',
};

describe('findProblems', () => {
  test('a policy that may run: no problem', () => {
    expect(findProblems(policy, facts)).toEqual([]);
  });

  test.each<[string, Partial<RetentionPolicy>, Partial<TableFacts>, string]>([
    ['the action is drop_partition', { action: 'drop_partition' }, {}, '"drop_partition"'],
    ['the cutoff is not in the past', { is_past: false }, {}, 'not in the past'],
    ['the relation is a view', {}, { kind: 'v' }, 'is no table'],
    ['the key is an array', {}, { key_columns: [{ name: 'id', type: 'integer[]' }] }, 'no primary key without arrays'],
    ['the table is large and has no index', {}, { has_index: false }, 'no index that begins with "created_at"'],
    ['no right to read', {}, { may_select: false, may_delete: false }, 'lacks select, delete on "app"."event"'],
  ])('%s: the problem is named', (_, policyPart, factsPart, problem) => {
    const problems = findProblems({ ...policy, ...policyPart }, { ...facts, ...factsPart });

    expect(problems.map((one) => one.problem)).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]?.hint).not.toBe('');
  });

  test('a small table without index: allowed', () => {
    expect(findProblems(policy, { ...facts, has_index: false, bytes: SMALL_TABLE_BYTES })).toEqual([]);
  });

  test('several problems: all of them at once', () => {
    const problems = findProblems(
      { ...policy, action: 'anonymise' },
      { ...facts, may_lock: false, row_security_cuts: true },
    );

    expect(problems).toHaveLength(3);
  });
});

describe('buildStatements', () => {
  const odd = buildStatements(
    { ...policy, table_name: 'ev"ent', predicate: "note <> '{keys}' and kind = 'a'" },
    {
      ...facts,
      key_columns: [
        { name: 'I d', type: 'bigint' },
        { name: 'b', type: 'text' },
      ],
    },
  );

  test('odd names are quoted, and braces of the predicate are left alone', () => {
    const choose = odd.choose({ isFirst: false, waits: false });

    expect(choose).toContain('from "app"."ev""ent" as t');
    expect(choose).toContain("(\nnote <> '{keys}' and kind = 'a'\n)");
    expect(choose).toContain('(t."created_at", t."I d", t."b") > ($5::timestamp with time zone, $6::bigint, $7::text)');
    expect(choose).toContain('for update of t skip locked');
    expect(odd.delete).toContain('unnest($2::bigint[], $3::text[]) as chosen (key_1, key_2)');
  });

  test('the sweep waits for locked rows and begins at the oldest row', () => {
    const sweep = odd.choose({ isFirst: true, waits: true });

    expect(sweep).not.toContain('skip locked');
    expect(sweep).not.toContain('$5');
  });

  test('no placeholder of a template is left in any statement', () => {
    const plain = buildStatements(policy, facts);

    for (const statement of [plain.count, plain.delete, plain.choose({ isFirst: false, waits: true })]) {
      expect(statement).not.toMatch(/[{}]/);
    }
    expect(plain.checkPredicate).toBeNull();
  });
});

describe('explainFailure', () => {
  test('a data exception quotes a row value: only its code is kept', () => {
    const error = Object.assign(new Error('invalid input syntax for type integer: "ada@example.org"'), {
      code: '22P02',
    });

    const failure = explainFailure('events', 12, error);

    expect(failure.message).not.toContain('ada@example.org');
    expect(failure.message).toContain('22P02');
    expect(failure.safeState).toContain('12 rows of this run were deleted before it');
  });

  test('the connection is gone: a lost session, whatever the driver calls it', () => {
    expect(explainFailure('events', 0, new Error('Connection terminated unexpectedly')).code).toBe(
      'database.session_lost',
    );
  });
});
