-- Migrations that are more than one transaction: how far a file has come, and the statement that runs alone now.
-- Role: nightshift_migrate. Locks: ACCESS EXCLUSIVE on nightshift.migration for a moment; it has one row per file.
-- Safe to rerun: applied once, recorded in nightshift.migration.
-- nightshift: allow require-check-not-valid because nightshift.migration has one row per file.
-- nightshift: allow prefer-bigint-key because the number of a file has four digits.
-- nightshift: allow require-concurrent-index-creation because nightshift.migration has one row per file.
-- squawk-ignore-file constraint-missing-not-valid, require-concurrent-index-creation

alter table nightshift.migration
  add column state text not null default 'applied',
  add column statements_done integer not null default 0,
  add column half_done_since timestamptz,
  add column going_down_checksum text,
  add column plan_hash text,
  add column is_baseline boolean not null default false,
  add constraint migration_state_known check (state in ('applied', 'going up', 'going down')),
  add constraint migration_statements_done_not_negative check (statements_done >= 0),
  add constraint migration_half_done_has_time check ((state = 'applied') = (half_done_since is null)),
  add constraint migration_going_down_has_checksum check ((state = 'going down') = (going_down_checksum is not null));

comment on column nightshift.migration.state is
  'applied: the whole up file is done. going up, going down: statements_done statements of that file are committed, the rest are not.';
comment on column nightshift.migration.plan_hash is
  'The plan that the run which began this file was bound to: a later pass of that run may go on with it.';
comment on column nightshift.migration.is_baseline is
  'The file was never run here: baseline says that the database had all of it already.';

-- One file at a time may be half done: the next one builds on it.
create unique index migration_half_done_key on nightshift.migration (kind) where state <> 'applied';

create table nightshift.migration_long_step (
  kind text not null,
  number integer not null,
  direction text not null,
  statement_number integer not null,
  operation text not null,
  statement text not null,
  process_id integer not null,
  backend_start timestamptz not null,
  started_at timestamptz not null default clock_timestamp(),
  catalog_before jsonb not null,
  batch_cursor text,
  rows_done bigint not null default 0,
  requested_by text not null,
  request_id text not null,
  constraint migration_long_step_pkey primary key (kind, number),
  constraint migration_long_step_file_fkey foreign key (kind, number)
    references nightshift.migration (kind, number) on delete cascade,
  constraint migration_long_step_direction_known check (direction in ('up', 'down')),
  constraint migration_long_step_statement_number_positive check (statement_number >= 1),
  constraint migration_long_step_rows_done_not_negative check (rows_done >= 0)
);

comment on table nightshift.migration_long_step is
  'The statement that runs alone now, on the session process_id that began at backend_start; written before it is sent, and taken out with its record.';
comment on column nightshift.migration_long_step.catalog_before is
  'What tells afterwards whether the server has ended it although nobody was there to hear: object ids from before.';
comment on column nightshift.migration_long_step.batch_cursor is
  'Of an UPDATE or DELETE in batches: the last value of its column that is done, committed together with its rows.';
