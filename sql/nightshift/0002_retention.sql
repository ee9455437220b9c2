-- What may be purged, what must not, how columns are classified, and what every purge run did.
-- Role: nightshift_migrate. Locks: none that anybody waits for; all tables are new. Applied once, recorded.
-- Policies and classifications are written by migrations, so that they are reviewed like code.

-- The key of an advisory lock by its name; every job and the trigger below derive it the same way.
create function nightshift.lock_key(lock_name text)
  returns bigint
  language sql
  immutable
  strict
  parallel safe
  set search_path = pg_catalog, pg_temp
as $$ select hashtextextended(lock_name, 0) $$;

create table nightshift.retention_policy (
  name text not null,
  schema_name name not null,
  table_name name not null,
  timestamp_column name not null,
  retention interval not null,
  predicate text,
  action text not null,
  archive_before_delete boolean not null,
  enabled boolean not null,
  batch_rows integer,
  reason text not null,
  changed_at timestamptz not null default clock_timestamp(),
  changed_by name not null default current_user,
  constraint retention_policy_pkey primary key (name),
  constraint retention_policy_name_form check (name ~ '^[a-z][a-z0-9]*([_-][a-z0-9]+)*$'),
  constraint retention_policy_schema_not_blank check (schema_name::text ~ '\S'),
  constraint retention_policy_table_not_blank check (table_name::text ~ '\S'),
  constraint retention_policy_column_not_blank check (timestamp_column::text ~ '\S'),
  -- A part below zero could put the cutoff into the future although the sum looks positive, as in '1 year -400 days'.
  constraint retention_policy_retention_positive check (
    retention >= interval '1 day'
    and extract(year from retention) >= 0
    and extract(month from retention) >= 0
    and extract(day from retention) >= 0
    and extract(epoch from (retention - date_trunc('day', retention))) >= 0
  ),
  constraint retention_policy_predicate_not_blank check (predicate ~ '\S'),
  -- The predicate becomes part of a statement in brackets: it must not be able to end that statement or hide its rest.
  constraint retention_policy_predicate_one_expression check (predicate !~ ';|--|/\*'),
  constraint retention_policy_action_known check (action in ('delete', 'anonymise', 'drop_partition')),
  constraint retention_policy_batch_rows_range check (batch_rows between 1 and 100000),
  constraint retention_policy_reason_not_blank check (reason ~ '\S')
);

comment on table nightshift.retention_policy is
  'Rows of a table whose timestamp column is older than now minus retention, and which fit the predicate, are past retention.';
comment on column nightshift.retention_policy.retention is
  'No default: nothing is purged that nobody has asked to purge.';

create table nightshift.legal_hold (
  hold_id bigint generated always as identity,
  schema_name name not null,
  table_name name not null,
  key_value text,
  reason text not null,
  placed_at timestamptz not null default clock_timestamp(),
  placed_by text not null default session_user,
  released_at timestamptz,
  released_by text,
  constraint legal_hold_pkey primary key (hold_id),
  constraint legal_hold_schema_not_blank check (schema_name::text ~ '\S'),
  constraint legal_hold_table_not_blank check (table_name::text ~ '\S'),
  constraint legal_hold_key_not_blank check (key_value ~ '\S'),
  constraint legal_hold_reason_not_blank check (reason ~ '\S'),
  constraint legal_hold_placed_by_not_blank check (placed_by ~ '\S'),
  constraint legal_hold_release_complete check ((released_at is null) = (released_by is null)),
  constraint legal_hold_released_by_not_blank check (released_by ~ '\S'),
  constraint legal_hold_released_after_placed check (released_at >= placed_at)
);

comment on table nightshift.legal_hold is
  'Rows that no policy may remove while released_at is null.';
comment on column nightshift.legal_hold.key_value is
  'Primary key of the held row as text; null holds the whole table.';

create index legal_hold_in_force_idx on nightshift.legal_hold (schema_name, table_name) where released_at is null;

-- A batch of the purge holds this lock shared until its commit. The INSERT of a hold therefore returns only when no
-- running batch can still remove a row that the hold protects.
create function nightshift.wait_for_purge_batches()
  returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(nightshift.lock_key('nightshift:legal_hold'));
  return null;
end
$$;

create trigger legal_hold_waits_for_purge
  before insert or update or delete on nightshift.legal_hold
  for each statement execute function nightshift.wait_for_purge_batches();

create table nightshift.data_classification (
  schema_name name not null,
  table_name name not null,
  column_name name not null,
  classification text not null,
  pii_category text,
  retention_years integer,
  encryption_required boolean not null,
  constraint data_classification_pkey primary key (schema_name, table_name, column_name),
  constraint data_classification_schema_not_blank check (schema_name::text ~ '\S'),
  constraint data_classification_table_not_blank check (table_name::text ~ '\S'),
  constraint data_classification_column_not_blank check (column_name::text ~ '\S'),
  constraint data_classification_known check (
    classification in ('PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED')
  ),
  constraint data_classification_pii_not_blank check (pii_category ~ '\S'),
  constraint data_classification_pii_is_not_public check (pii_category is null or classification <> 'PUBLIC'),
  constraint data_classification_retention_range check (retention_years between 1 and 100)
);

create table nightshift.purge_run (
  purge_run_id bigint generated always as identity,
  policy text not null,
  request_id text not null,
  requested_by text,
  action text not null,
  schema_name name not null,
  table_name name not null,
  cutoff timestamptz not null,
  state text not null,
  started_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  cursor_timestamp timestamptz,
  cursor_key text,
  batches integer not null default 0,
  rows_done bigint not null default 0,
  rows_held bigint not null default 0,
  rows_referenced bigint not null default 0,
  rows_left bigint,
  error text,
  certificate_key text,
  database_role name not null default current_user,
  constraint purge_run_pkey primary key (purge_run_id),
  constraint purge_run_policy_not_blank check (policy ~ '\S'),
  constraint purge_run_request_id_not_blank check (request_id ~ '\S'),
  constraint purge_run_requested_by_not_blank check (requested_by ~ '\S'),
  constraint purge_run_action_known check (action in ('delete', 'anonymise', 'drop_partition')),
  constraint purge_run_cutoff_in_the_past check (cutoff < started_at),
  constraint purge_run_state_known check (state in ('running', 'finished', 'stopped', 'failed')),
  constraint purge_run_end_known check ((state = 'running') = (finished_at is null)),
  constraint purge_run_failed_has_error check ((state = 'failed') = (error is not null)),
  constraint purge_run_ends_after_start check (finished_at >= started_at),
  constraint purge_run_cursor_before_cutoff check (cursor_timestamp <= cutoff),
  constraint purge_run_cursor_key_has_timestamp check (cursor_key is null or cursor_timestamp is not null),
  constraint purge_run_counts_not_negative check (
    batches >= 0 and rows_done >= 0 and rows_held >= 0 and rows_referenced >= 0 and rows_left >= 0
  ),
  -- "Finished" is a claim: without a count of what is left it may not be made.
  constraint purge_run_finished_is_counted check (state <> 'finished' or rows_left is not null)
);

comment on table nightshift.purge_run is
  'One row per run of a policy, changed in the same transaction as each batch. Runs are not row changes: they stay out of the audit tables.';

create index purge_run_policy_idx on nightshift.purge_run (policy, purge_run_id desc);
