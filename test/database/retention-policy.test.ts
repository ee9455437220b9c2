// What cannot be written down as a policy, a hold or a run: refused when it is written, not at night.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPurgeWorld, type PurgeWorld } from './purge-world.ts';

let world: PurgeWorld;
beforeAll(async () => {
  world = await createPurgeWorld();
});
beforeEach(async () => await world.reset());
afterAll(async () => await world.close());

const plain = {
  name: 'events',
  schema_name: 'app',
  table_name: 'event',
  timestamp_column: 'Created at',
  retention: '1 year',
  predicate: null,
  action: 'delete',
  archive_before_delete: false,
  enabled: true,
  batch_rows: null,
  reason: 'a test',
  anonymise: null,
  marker_column: null,
  keep_partitions: null,
};

async function write(more: Partial<Record<keyof typeof plain, unknown>>) {
  await world.fresh.query(
    `insert into nightshift.retention_policy (${Object.keys(plain).join(', ')})
      select ${Object.keys(plain).join(', ')} from jsonb_populate_record(null::nightshift.retention_policy, $1)`,
    [JSON.stringify({ ...plain, ...more })],
  );
}

const anonymise = { action: 'anonymise', anonymise: { kind: "'gone'" }, marker_column: 'done_at' };

describe('nightshift.retention_policy', () => {
  beforeEach(async () => {
    await world.fresh.query(`
      alter table app.event add done_at timestamptz, add twice bigint generated always as (id * 2) stored;
      create table app.part (at timestamptz not null, other timestamptz) partition by range (at);
      create view app.seen as select * from app.event`);
  });

  test('each action, complete: taken', async () => {
    await write({ predicate: "kind = 'plain'", batch_rows: 10 });
    await write({ ...anonymise, name: 'names' });
    await write({
      name: 'parts',
      table_name: 'part',
      timestamp_column: 'at',
      action: 'drop_partition',
      keep_partitions: 3,
    });

    const { rows } = await world.fresh.query('select name, version from nightshift.retention_policy order by name');

    expect(rows).toEqual([
      { name: 'events', version: 1 },
      { name: 'names', version: 1 },
      { name: 'parts', version: 1 },
    ]);
  });

  test.each<[string, Partial<Record<keyof typeof plain, unknown>>, string]>([
    ['nothing is kept', { retention: '0' }, 'retention_positive'],
    ['less than a day', { retention: '23 hours' }, 'retention_positive'],
    ['the future', { retention: '-1 year' }, 'retention_positive'],
    ['the future in part', { retention: '1 year -300 days' }, 'retention_positive'],
    ['the future by hours', { retention: '5 days -30 hours' }, 'retention_positive'],
    ['longer than anybody lives', { retention: '2000 years' }, 'retention_finite'],
    ['a blank name', { name: ' ' }, 'name_form'],
    ['a blank predicate', { predicate: ' ' }, 'predicate_not_blank'],
    ['two statements', { predicate: 'true; drop table app.event' }, 'predicate_one_expression'],
    ['a comment that hides the rest', { predicate: 'true -- ' }, 'predicate_one_expression'],
    ['an unknown action', { action: 'erase' }, 'action_known'],
    ['no reason', { reason: ' ' }, 'reason_not_blank'],
    ['batches of no row', { batch_rows: 0 }, 'batch_rows_range'],
    [
      'a system table',
      { schema_name: 'pg_catalog', table_name: 'pg_authid', timestamp_column: 'rolvaliduntil' },
      'schema_allowed',
    ],
    [
      'our own table',
      { schema_name: 'nightshift', table_name: 'purge_run', timestamp_column: 'started_at' },
      'schema_allowed',
    ],
    ['anonymise without expressions', { ...anonymise, anonymise: null }, 'anonymise_complete'],
    ['expressions for a delete', { anonymise: { kind: "''" }, marker_column: 'done_at' }, 'anonymise_complete'],
    ['anonymise nothing', { ...anonymise, anonymise: {} }, 'anonymise_names_columns'],
    ['an archive of what is anonymised', { ...anonymise, archive_before_delete: true }, 'anonymise_is_not_archived'],
    [
      'drop without what is kept',
      { table_name: 'part', timestamp_column: 'at', action: 'drop_partition' },
      'keep_partitions_complete',
    ],
    [
      'drop and keep none',
      { table_name: 'part', timestamp_column: 'at', action: 'drop_partition', keep_partitions: 0 },
      'keep_partitions_range',
    ],
    [
      'drop of some rows of a partition',
      { table_name: 'part', timestamp_column: 'at', action: 'drop_partition', keep_partitions: 1, predicate: 'true' },
      'partitions_without_predicate',
    ],
  ])('%s: refused by its constraint', async (_, more, constraint) => {
    await expect(write(more)).rejects.toMatchObject({
      constraint: expect.stringMatching(new RegExp(`^retention_policy_${constraint}$`)),
    });
  });

  test.each<[string, Partial<Record<keyof typeof plain, unknown>>, string]>([
    ['a table that is not there', { table_name: 'evnet' }, 'table app.evnet of policy "events" does not exist'],
    ['a view', { table_name: 'seen' }, 'table app.seen of policy "events" does not exist'],
    ['a column that is not there', { timestamp_column: 'created_at' }, 'column "created_at" of policy "events"'],
    [
      'a column that is no time',
      { timestamp_column: 'kind' },
      'column "kind" of policy "events" is no timestamp or date',
    ],
    ['a marker that is no time', { ...anonymise, marker_column: 'kind' }, 'marker "kind" of policy'],
    ['a marker that may not be null', { ...anonymise, marker_column: 'Created at' }, 'marker "Created at" of policy'],
    [
      'an unknown column',
      { ...anonymise, anonymise: { nick: "''" } },
      'cannot anonymise these columns of app.event: nick',
    ],
    ['the key', { ...anonymise, anonymise: { id: '0' } }, 'columns of app.event: id'],
    ['a generated column', { ...anonymise, anonymise: { twice: '0' } }, 'columns of app.event: twice'],
    ['the timestamp', { ...anonymise, anonymise: { 'Created at': 'null' } }, 'columns of app.event: Created at'],
    ['a blank expression', { ...anonymise, anonymise: { kind: ' ' } }, 'columns of app.event: kind'],
    ['no text', { ...anonymise, anonymise: { kind: 7 } }, 'columns of app.event: kind'],
    ['two statements', { ...anonymise, anonymise: { kind: "''; drop table app.event" } }, 'columns of app.event: kind'],
    [
      'a table without partitions',
      { action: 'drop_partition', keep_partitions: 1 },
      'is not partitioned by range of "Created at"',
    ],
    [
      'partitions by another column',
      { table_name: 'part', timestamp_column: 'other', action: 'drop_partition', keep_partitions: 1 },
      'is not partitioned by range of "other"',
    ],
  ])('it names %s: refused with what is wrong', async (_, more, message) => {
    await expect(write(more)).rejects.toThrow(message);
  });

  test('each change counts its version and says who has made it', async () => {
    await write({});
    await world.fresh.query("update nightshift.retention_policy set retention = '2 years'");
    await world.fresh.query("update nightshift.retention_policy set retention = '3 years', version = 99");

    const { rows } = await world.fresh.query('select version, changed_by from nightshift.retention_policy');

    expect(rows).toEqual([{ version: 3, changed_by: 'postgres' }]);
  });
});

describe('nightshift.legal_hold', () => {
  const hold = async (columns: string, values: string) =>
    await world.fresh.query(
      `insert into nightshift.legal_hold (schema_name, table_name, ${columns}) values ('app', ${values})`,
    );

  test.each([
    ['no reason', 'reason', "'event', ' '", 'legal_hold_reason_not_blank'],
    ['a person without a key', 'is_subject, reason', "'event', true, 'r'", 'legal_hold_subject_has_key'],
    [
      'over before it began',
      'held_until, reason',
      "'event', now() - interval '1 day', 'r'",
      'legal_hold_until_after_placed',
    ],
    ['until the end of time', 'held_until, reason', "'event', 'infinity', 'r'", 'legal_hold_until_finite'],
  ])('%s: refused by its constraint', async (_, columns, values, constraint) => {
    await expect(hold(columns, values)).rejects.toMatchObject({ constraint });
  });

  test('a misspelt table: refused, because nothing would be held', async () => {
    await expect(hold('reason', "'evnet', 'r'")).rejects.toThrow('so nothing would be held');
  });
});

describe('nightshift.purge_run', () => {
  const run = async (columns: string, values: string) =>
    await world.fresh.query(
      `insert into nightshift.purge_run (policy, request_id, schema_name, table_name, ${columns}) values ('p', 'r', 's', 't', ${values})`,
    );

  test.each([
    [
      'finished without a count',
      'action, cutoff, state, finished_at',
      "'delete', now() - interval '1 year', 'finished', clock_timestamp()",
      'purge_run_finished_is_counted',
    ],
    [
      'a cutoff that is to come',
      'action, cutoff, state',
      "'delete', now() + interval '1 year', 'running'",
      'purge_run_cutoff_in_the_past',
    ],
    ['a policy without a cutoff', 'action, state', "'delete', 'running'", 'purge_run_cutoff_or_subject'],
    ['an erasure without its reference', 'action, state', "'erase', 'running'", 'purge_run_subject_has_reference'],
  ])('%s: refused by its constraint', async (_, columns, values, constraint) => {
    await expect(run(columns, values)).rejects.toMatchObject({ constraint });
  });
});
