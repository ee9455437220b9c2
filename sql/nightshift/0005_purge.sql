-- Retention beyond the plain delete: anonymised columns, dropped partitions, archives, holds on a person, a stop flag; and
-- policies and holds that cannot name what is not there.
-- Role: nightshift_migrate. Locks: ACCESS EXCLUSIVE on four tables of a few rows each, for a moment.
-- Safe to rerun: applied once, recorded in nightshift.migration.
-- nightshift: allow require-check-not-valid because these tables have a few rows.
-- nightshift: allow ban-drop-not-null because an erasure has no cutoff, and only purge and health of this version read it.
-- nightshift: allow prefer-bigint-key because an object holds thousands of rows, and a series never has billions of objects.
-- squawk-ignore-file constraint-missing-not-valid, ban-drop-not-null

alter table nightshift.retention_policy
  add column version integer not null default 1,
  add column anonymise jsonb,
  add column marker_column name,
  add column keep_partitions integer,
  add constraint retention_policy_version_positive check (version >= 1),
  -- A system table or our own: nothing that a purge could make better.
  add constraint retention_policy_schema_allowed check (
    schema_name !~ '^pg_' and schema_name not in ('information_schema', 'nightshift')
  ),
  add constraint retention_policy_retention_finite check (retention <= interval '1000 years'),
  add constraint retention_policy_anonymise_complete check (
    (action = 'anonymise') = (anonymise is not null)
    and (action = 'anonymise') = (marker_column is not null)
  ),
  add constraint retention_policy_anonymise_names_columns check (
    jsonb_typeof(anonymise) = 'object' and anonymise <> '{}'
  ),
  -- The archive would keep what the anonymising takes away.
  add constraint retention_policy_anonymise_is_not_archived check (not (action = 'anonymise' and archive_before_delete)),
  add constraint retention_policy_keep_partitions_complete check (
    (action = 'drop_partition') = (keep_partitions is not null)
  ),
  add constraint retention_policy_keep_partitions_range check (keep_partitions between 1 and 10000),
  -- A partition goes as a whole.
  add constraint retention_policy_partitions_without_predicate check (action <> 'drop_partition' or predicate is null);

comment on column nightshift.retention_policy.version is
  'Counts the changes of the policy; a certificate names it.';
comment on column nightshift.retention_policy.anonymise is
  'Of the action anonymise: column to SQL expression, as {"email": "''user-'' || id || ''@invalid''"}.';
comment on column nightshift.retention_policy.marker_column is
  'Of the action anonymise: a timestamptz column that is null until the row has been anonymised, so that none is done twice.';
comment on column nightshift.retention_policy.keep_partitions is
  'Of the action drop_partition: this many of the newest partitions stay, however old they are.';

alter table nightshift.legal_hold
  add column is_subject boolean not null default false,
  add column held_until timestamptz,
  add constraint legal_hold_subject_has_key check (not is_subject or key_value is not null),
  add constraint legal_hold_until_after_placed check (held_until > placed_at),
  add constraint legal_hold_until_finite check (isfinite(held_until));

comment on table nightshift.legal_hold is
  'Rows that no policy may remove or change while released_at is null and held_until has not come.';
comment on column nightshift.legal_hold.key_value is
  'Primary key of the held row as text, of several columns as a JSON array of texts; null holds the whole table.';
comment on column nightshift.legal_hold.is_subject is
  'The row stands for a person: all rows that lead to it by foreign keys or classified columns are held as well.';
comment on column nightshift.legal_hold.held_until is
  'The hold ends by itself then; null: it stands until somebody releases it.';

alter table nightshift.data_classification
  add column subject_schema name,
  add column subject_table name,
  add constraint data_classification_subject_complete check ((subject_schema is null) = (subject_table is null));

comment on column nightshift.data_classification.subject_table is
  'The column holds the primary key of this table without a foreign key: its row speaks of that person.';

alter table nightshift.purge_run
  alter column cutoff drop not null,
  add column policy_version integer,
  add column series_id bigint,
  add column execution_id text,
  add column subject_reference text,
  add column rows_by_table jsonb not null default '{}',
  add column batch_rows integer,
  add column oldest_left timestamptz,
  drop constraint purge_run_action_known,
  add constraint purge_run_action_known check (action in ('delete', 'anonymise', 'drop_partition', 'erase')),
  add constraint purge_run_cutoff_or_subject check ((cutoff is null) = (action = 'erase')),
  add constraint purge_run_subject_has_reference check ((action = 'erase') = (subject_reference is not null)),
  add constraint purge_run_subject_reference_not_blank check (subject_reference ~ '\S'),
  add constraint purge_run_batch_rows_positive check (batch_rows >= 1),
  add constraint purge_run_rows_by_table_object check (jsonb_typeof(rows_by_table) = 'object');

comment on column nightshift.purge_run.series_id is
  'The first of the runs that followed each other until the work of the policy was done; their archive and certificate are one.';
comment on column nightshift.purge_run.execution_id is
  'The execution whose passes this run is one of: a policy that has finished in an execution is not begun again by it.';
comment on column nightshift.purge_run.rows_by_table is
  'Rows of other tables that went or were changed with those of the policy, as {"app.item": {"deleted": 7}}.';

create table nightshift.purge_object (
  series_id bigint not null,
  schema_name name not null,
  table_name name not null,
  number integer not null,
  column_names text[] not null,
  generated_columns text[] not null,
  object_key text not null,
  row_count bigint not null,
  byte_count bigint not null,
  sha256 text not null,
  recorded_at timestamptz not null default clock_timestamp(),
  constraint purge_object_pkey primary key (series_id, schema_name, table_name, number),
  constraint purge_object_number_positive check (number >= 1),
  constraint purge_object_has_columns check (cardinality(column_names) >= 1),
  constraint purge_object_counts_positive check (row_count >= 1 and byte_count >= 1),
  constraint purge_object_sha256_form check (sha256 ~ '^[0-9a-f]{64}$')
);

comment on table nightshift.purge_object is
  'One object of an archive, written in the transaction that removes its rows: what has no row here was never part of an archive.';
comment on column nightshift.purge_object.column_names is
  'The columns of its COPY text in their order, as they were then: a later migration may change the table.';
comment on column nightshift.purge_object.generated_columns is
  'Columns that are not in the text, because the server makes them again from the others.';

create table nightshift.purge_partition (
  purge_partition_id bigint generated always as identity,
  policy text not null,
  series_id bigint not null,
  parent_schema name not null,
  parent_table name not null,
  schema_name name not null,
  table_name name not null,
  table_oid oid not null,
  bounds text not null,
  state text not null,
  row_count bigint,
  byte_count bigint not null,
  planned_at timestamptz not null default clock_timestamp(),
  detached_at timestamptz,
  dropped_at timestamptz,
  constraint purge_partition_pkey primary key (purge_partition_id),
  constraint purge_partition_state_known check (state in ('planned', 'detached', 'dropped', 'kept')),
  constraint purge_partition_counts_not_negative check (row_count >= 0 and byte_count >= 0)
);

comment on table nightshift.purge_partition is
  'Partitions that a policy drops: planned, then detached, then dropped. DETACH CONCURRENTLY cannot share a transaction with its record.';

-- One at a time is under way.
create unique index purge_partition_open_key on nightshift.purge_partition (table_oid) where state in ('planned', 'detached');

create table nightshift.purge_stop (
  purge_stop_id bigint generated always as identity,
  reason text not null,
  placed_at timestamptz not null default clock_timestamp(),
  placed_by text not null default session_user,
  lifted_at timestamptz,
  lifted_by text,
  constraint purge_stop_pkey primary key (purge_stop_id),
  constraint purge_stop_reason_not_blank check (reason ~ '\S'),
  constraint purge_stop_lift_complete check ((lifted_at is null) = (lifted_by is null))
);

comment on table nightshift.purge_stop is
  'While a row here is not lifted no purge begins another batch.';

-- What a policy names must be there and fit; what a person has to sign must not be a misspelt name.
create function nightshift.check_retention_policy()
  returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  target oid := to_regclass(format('%I.%I', new.schema_name, new.table_name));
  target_kind "char" := (select relkind from pg_class where oid = target);
  wrong text;
begin
  if target is null or target_kind not in ('r', 'p') then
    raise exception 'table %.% of policy "%" does not exist', new.schema_name, new.table_name, new.name
      using errcode = 'undefined_table', hint = 'create the table before its policy';
  end if;
  if not exists (
    select
    from pg_attribute
    where attrelid = target
      and attname = new.timestamp_column
      and attnum > 0
      and not attisdropped
      and atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
  ) then
    raise exception 'column "%" of policy "%" is no timestamp or date of %.%', new.timestamp_column, new.name,
      new.schema_name, new.table_name
      using errcode = 'undefined_column', hint = 'name the column that holds the time of the row';
  end if;
  if new.action = 'anonymise' then
    if new.marker_column = new.timestamp_column or not exists (
      select
      from pg_attribute
      where attrelid = target
        and attname = new.marker_column
        and not attisdropped
        and not attnotnull
        and atttypid = 'timestamptz'::regtype
    ) then
      raise exception 'marker "%" of policy "%" is no nullable timestamptz column of its own in %.%', new.marker_column,
        new.name, new.schema_name, new.table_name
        using errcode = 'undefined_column',
              hint = 'add column … timestamptz, which the purge sets when a row has been anonymised';
    end if;
    select string_agg(wanted.key, ', ' order by wanted.key)
    into wrong
    from jsonb_each(new.anonymise) as wanted
    left join pg_attribute as attribute
      on attribute.attrelid = target
      and attribute.attname = wanted.key
      and attribute.attnum > 0
      and not attribute.attisdropped
    where attribute.attnum is null
      or attribute.attgenerated <> ''
      or wanted.key in (new.timestamp_column, new.marker_column)
      or jsonb_typeof(wanted.value) <> 'string'
      or wanted.value #>> '{}' !~ '\S'
      -- The expression becomes part of a statement in brackets, as the predicate.
      or wanted.value #>> '{}' ~ ';|--|/\*|\$\d'
      or exists (
        select
        from pg_index as index
        where index.indrelid = target
          and index.indisprimary
          and attribute.attnum = any (index.indkey)
      );
    if wrong is not null then
      raise exception 'policy "%" cannot anonymise these columns of %.%: %', new.name, new.schema_name, new.table_name, wrong
        using errcode = 'invalid_parameter_value',
              hint = 'each must be a column of the table that is neither generated nor part of the primary key, the timestamp or the marker, with an expression as text';
    end if;
  end if;
  if new.action = 'drop_partition' and not exists (
    select
    from pg_partitioned_table as partitioned
    join pg_attribute as attribute
      on attribute.attrelid = partitioned.partrelid
      and attribute.attnum = partitioned.partattrs[0]
    where partitioned.partrelid = target
      and partitioned.partstrat = 'r'
      and partitioned.partnatts = 1
      and attribute.attname = new.timestamp_column
  ) then
    raise exception '%.% of policy "%" is not partitioned by range of "%"', new.schema_name, new.table_name, new.name,
      new.timestamp_column
      using errcode = 'invalid_parameter_value', hint = 'use the action delete, or partition the table';
  end if;
  new.changed_at := clock_timestamp();
  new.changed_by := current_user;
  if tg_op = 'UPDATE' then
    new.version := old.version + 1;
  end if;
  return new;
end
$$;

create trigger retention_policy_is_sensible
  before insert or update on nightshift.retention_policy
  for each row execute function nightshift.check_retention_policy();

-- A hold on a misspelt table would protect nothing.
create function nightshift.check_legal_hold()
  returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if to_regclass(format('%I.%I', new.schema_name, new.table_name)) is null then
    raise exception 'table %.% of the legal hold does not exist, so nothing would be held', new.schema_name, new.table_name
      using errcode = 'undefined_table', hint = 'name the schema and the table as in the catalog';
  end if;
  return new;
end
$$;

create trigger legal_hold_is_sensible
  before insert or update of schema_name, table_name on nightshift.legal_hold
  for each row execute function nightshift.check_legal_hold();

create view nightshift.pii_without_policy as
select
  classification.schema_name,
  classification.table_name,
  array_agg(classification.column_name::text order by classification.column_name) as columns
from nightshift.data_classification as classification
where classification.pii_category is not null
  and not exists (
    select
    from nightshift.retention_policy as policy
    where policy.schema_name = classification.schema_name
      and policy.table_name = classification.table_name
      and policy.enabled
  )
group by classification.schema_name, classification.table_name;

comment on view nightshift.pii_without_policy is
  'Tables with classified personal data that no enabled policy ever purges.';
