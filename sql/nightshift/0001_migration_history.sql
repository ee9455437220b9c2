-- The history of migrations: which file is applied, and one row for every statement that ever ran.
-- Role: nightshift_migrate, which owns the schema (bootstrap creates it). Locks: none that anybody waits for; all tables are new.
-- Safe to rerun: applied once, recorded in the table that it creates.
-- nightshift: allow prefer-bigint-key because the number of a file has four digits.

create table nightshift.migration (
  kind text not null,
  number integer not null,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default clock_timestamp(),
  duration_ms integer,
  requested_by text not null,
  database_role name not null default current_user,
  login_role name not null default session_user,
  request_id text not null,
  constraint migration_pkey primary key (kind, number),
  constraint migration_kind_known check (kind in ('application', 'nightshift')),
  constraint migration_number_range check (number between 1 and 9999),
  constraint migration_name_form check (name ~ '^[a-z0-9]+(_[a-z0-9]+)*$'),
  constraint migration_checksum_is_sha256 check (checksum ~ '^[0-9a-f]{64}$'),
  constraint migration_duration_not_negative check (duration_ms >= 0),
  constraint migration_requested_by_not_blank check (requested_by ~ '\S'),
  constraint migration_request_id_not_blank check (request_id ~ '\S')
);

comment on table nightshift.migration is
  'Files that are applied now; a reverted file loses its row here and keeps its rows in migration_step.';

create table nightshift.migration_step (
  step_id bigint generated always as identity,
  request_id text not null,
  kind text not null,
  number integer not null,
  name text not null,
  direction text not null,
  statement_number integer not null,
  line integer not null,
  statement text not null,
  outcome text not null,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  duration_ms integer not null,
  lock_wait_ms integer,
  retries integer not null,
  sqlstate text,
  error text,
  requested_by text not null,
  database_role name not null default current_user,
  login_role name not null default session_user,
  constraint migration_step_pkey primary key (step_id),
  constraint migration_step_kind_known check (kind in ('application', 'nightshift')),
  constraint migration_step_number_range check (number between 1 and 9999),
  constraint migration_step_name_not_blank check (name ~ '\S'),
  constraint migration_step_direction_known check (direction in ('up', 'down')),
  constraint migration_step_statement_number_positive check (statement_number >= 1),
  constraint migration_step_line_positive check (line >= 1),
  constraint migration_step_outcome_known check (outcome in ('done', 'failed')),
  constraint migration_step_failed_has_error check ((outcome = 'failed') = (error is not null)),
  constraint migration_step_sqlstate_form check (sqlstate ~ '^[0-9A-Z]{5}$'),
  constraint migration_step_ends_after_start check (finished_at >= started_at),
  constraint migration_step_duration_not_negative check (duration_ms >= 0),
  constraint migration_step_lock_wait_not_negative check (lock_wait_ms >= 0),
  constraint migration_step_retries_not_negative check (retries >= 0),
  constraint migration_step_requested_by_not_blank check (requested_by ~ '\S'),
  constraint migration_step_request_id_not_blank check (request_id ~ '\S')
);

comment on table nightshift.migration_step is
  'One row per statement that was run. A row with outcome failed stands for a file that was rolled back as a whole.';
comment on column nightshift.migration_step.statement is
  'First line of the statement; the whole text is in the file that the checksum names.';
comment on column nightshift.migration_step.lock_wait_ms is
  'How long the statement was seen waiting for a lock (sampled); null means that nobody looked.';

create index migration_step_file_idx on nightshift.migration_step (kind, number, step_id);
