-- The sample application schema: users with constraints, indexes, audit, roles, row level security, column encryption,
-- data classification and a retention policy. Replace it by your own schema, or build on it.
-- Role: nightshift_migrate (no superuser). Locks: none that anybody waits for; every object is new.
-- Not safe to rerun by hand; `migrate` runs it once, in one transaction. Hence no BEGIN or COMMIT in here.
-- nightshift: allow prefer-static-sql because roles and pgcrypto may be there already, in a place that only the server knows.

create schema app_schema;

comment on schema app_schema is 'Sample application schema of Nightshift.';

-- Application roles. Roles belong to the whole cluster: they are made only where absent, and they cannot log in.
-- A login role with a password never belongs into a migration: make it where its secret is, then grant one of these to it.
do $$
declare
  wanted name;
begin
  foreach wanted in array array['app_read_only', 'app_read_write', 'app_admin']::name[] loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
      -- nightshift_migrate may not create roles. This function of bootstrap makes only roles without login and rights.
      if to_regprocedure('nightshift.create_group_role(name)') is not null then
        perform nightshift.create_group_role(wanted);
      else
        execute format('create role %I nologin', wanted);
      end if;
    end if;
  end loop;
end
$$;

create table app_schema.users (
  id uuid not null default gen_random_uuid(),
  username text not null,
  email text not null,
  password_hash text not null,
  status text not null default 'active',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_login_at timestamptz,
  failed_login_attempts integer not null default 0,
  locked_until timestamptz,
  constraint users_pkey primary key (id),
  constraint users_username_key unique (username),
  constraint users_email_key unique (email),
  -- Lengths are checked apart: a repetition like {3,50} in a pattern is many times slower than length().
  constraint users_username_form check (username ~ '^[a-zA-Z0-9_]+$' and length(username) between 3 and 50),
  constraint users_email_form check (email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' and length(email) <= 255),
  -- Otherwise Bob@example.com and bob@example.com would be two users.
  constraint users_email_lower_case check (email = lower(email)),
  -- Every password hash in the PHC or crypt form begins with $; a password in clear text is refused here.
  constraint users_password_hash_form check (
    password_hash ~ '^\$[a-z0-9-]+\$\S+$' and length(password_hash) between 20 and 255
  ),
  constraint users_status_known check (status in ('active', 'inactive', 'suspended')),
  constraint users_updated_after_created check (updated_at >= created_at),
  constraint users_failed_login_attempts_not_negative check (failed_login_attempts >= 0)
);

comment on table app_schema.users is 'Accounts of the application. @pii';
comment on column app_schema.users.email is '@pii e-mail address, lower case';
comment on column app_schema.users.password_hash is '@secret bcrypt or argon2 hash';

-- Plain CREATE INDEX: the table is new and empty, so nobody waits and nothing is scanned. CONCURRENTLY cannot run in a
-- transaction and would only matter on a table that already has rows and writers.
-- No index on email: the unique constraint has one. None on status alone: three values select nothing, and the
-- composite index begins with it.
create index idx_users_created_at on app_schema.users (created_at);

create index idx_users_status_created_at
  on app_schema.users (status, created_at)
  where status in ('active', 'inactive');

create index idx_users_locked
  on app_schema.users (locked_until)
  where locked_until is not null;

-- For the retention policy below: the purge walks (updated_at, id). Not partial, so that any predicate can use it.
create index idx_users_updated_at on app_schema.users (updated_at, id);

create function app_schema.set_updated_at()
  returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create trigger users_set_updated_at
  before update on app_schema.users
  for each row
  when (old.* is distinct from new.*)
  execute function app_schema.set_updated_at();

-- Who changed which account and when. No foreign key: the audit row outlives its user.
create table app_schema.user_audit (
  id bigint generated always as identity,
  user_id uuid not null,
  action text not null,
  old_values jsonb,
  new_values jsonb,
  changed_at timestamptz not null default now(),
  changed_by text not null,
  constraint user_audit_pkey primary key (id),
  constraint user_audit_action_known check (action in ('INSERT', 'UPDATE', 'DELETE')),
  constraint user_audit_values_fit_action check (
    (action = 'INSERT' and old_values is null and new_values is not null)
    or (action = 'UPDATE' and old_values is not null and new_values is not null)
    or (action = 'DELETE' and old_values is null and new_values is null)
  ),
  constraint user_audit_changed_by_not_blank check (changed_by ~ '\S')
);

comment on table app_schema.user_audit is
  'Row changes of users without personal data. Runs of the retention purge are in nightshift.purge_run.';

create index idx_user_audit_user_id on app_schema.user_audit (user_id, changed_at);
create index idx_user_audit_changed_at on app_schema.user_audit (changed_at, id);

-- Copies an allow-list of columns, so that a column added later is left out until somebody decides otherwise. Never
-- e-mail, user name or password hash: an audit row would keep for ever what a purge removes. A DELETE leaves only the key.
-- SECURITY DEFINER because nobody but this trigger may write the audit table. pg_temp is last in search_path: otherwise a
-- temporary table could stand in for a real one. row_security is on because a caller with `off` (the purge) would fail on
-- the INSERT below, which the policy for the owner allows.
create function app_schema.audit_users()
  returns trigger
  language plpgsql
  security definer
  set search_path = pg_catalog, pg_temp
  set row_security = on
as $$
declare
  before_change jsonb;
  after_change jsonb;
begin
  if tg_op = 'UPDATE' then
    before_change := jsonb_build_object(
      'status', old.status,
      'last_login_at', old.last_login_at,
      'failed_login_attempts', old.failed_login_attempts,
      'locked_until', old.locked_until
    );
  end if;
  if tg_op in ('INSERT', 'UPDATE') then
    after_change := jsonb_build_object(
      'status', new.status,
      'last_login_at', new.last_login_at,
      'failed_login_attempts', new.failed_login_attempts,
      'locked_until', new.locked_until
    );
  end if;
  insert into app_schema.user_audit (user_id, action, old_values, new_values, changed_by)
  values (
    case when tg_op = 'DELETE' then old.id else new.id end,
    tg_op,
    before_change,
    after_change,
    coalesce(nullif(current_setting('app.current_user_id', true), ''), session_user)
  );
  return null;
end
$$;

create trigger users_audit
  after insert or update or delete on app_schema.users
  for each row execute function app_schema.audit_users();

-- Column encryption inside the database. Prefer envelope encryption in the application with a KMS data key: here the key
-- travels in SQL, so that it can end up in logs, in pg_stat_activity and in pg_stat_statements, and whoever administers
-- the server can read it. Use these functions only where the application cannot do it.
-- pgcrypto goes into a schema of its own, where nobody but its owner can create an object that shadows it; an
-- installation that exists already is used where it is.
do $$
begin
  if not exists (select from pg_catalog.pg_extension where extname = 'pgcrypto') then
    create schema app_crypto;
    create extension pgcrypto with schema app_crypto;
  end if;
end
$$;

do $$
declare
  crypto_schema name;
begin
  select n.nspname
  into crypto_schema
  from pg_catalog.pg_extension e
  join pg_catalog.pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'pgcrypto';

  execute format($create$
    create function app_schema.encryption_key()
      returns text
      language plpgsql
      stable
      set search_path = pg_catalog, pg_temp
    as $body$
    declare
      key text := nullif(current_setting('app.encryption_key', true), '');
    begin
      if key is null then
        raise exception 'setting app.encryption_key is not set, so nothing can be encrypted or decrypted'
          using errcode = 'object_not_in_prerequisite_state',
                hint = 'in the transaction: select set_config(''app.encryption_key'', $1, true), with the key as a parameter';
      end if;
      if length(key) < 32 then
        raise exception 'setting app.encryption_key has %% characters; it must have at least 32', length(key)
          using errcode = 'invalid_parameter_value';
      end if;
      return key;
    end
    $body$
  $create$);

  -- pgp_sym_encrypt salts, derives the key and seals the text (MDC): the same text twice gives two ciphertexts, and a
  -- changed byte is an error. encrypt(…, 'aes') does none of this.
  execute format($create$
    create function app_schema.encrypt_sensitive_data(plain text)
      returns bytea
      language sql
      volatile
      strict
      set search_path = pg_catalog, %1$I, pg_temp
    as $body$
      select pgp_sym_encrypt(plain, app_schema.encryption_key(), 'cipher-algo=aes256, s2k-mode=3, s2k-count=1048576')
    $body$
  $create$, crypto_schema);

  execute format($create$
    create function app_schema.decrypt_sensitive_data(encrypted bytea)
      returns text
      language sql
      stable
      strict
      set search_path = pg_catalog, %1$I, pg_temp
    as $body$
      select pgp_sym_decrypt(encrypted, app_schema.encryption_key())
    $body$
  $create$, crypto_schema);

  -- The functions run with the rights of their caller, who therefore must find pgcrypto.
  if not has_schema_privilege('app_read_write', crypto_schema, 'usage') then
    execute format('grant usage on schema %I to app_read_write', crypto_schema);
  end if;
  if not has_schema_privilege('app_admin', crypto_schema, 'usage') then
    execute format('grant usage on schema %I to app_admin', crypto_schema);
  end if;
end
$$;

-- Rights. PUBLIC may execute every new function unless it is told not to.
revoke execute on all functions in schema app_schema from public;

grant usage on schema app_schema to app_read_only, app_read_write, app_admin;
-- Who only reads has no use for password hashes.
grant select (id, username, email, status, created_at, updated_at, last_login_at, failed_login_attempts, locked_until)
  on app_schema.users to app_read_only;
-- No TRUNCATE for anybody: it would pass by the policies and the audit trigger.
grant select, insert, update, delete on app_schema.users to app_read_write, app_admin;
grant select on app_schema.user_audit to app_read_only, app_read_write, app_admin;
grant usage, select on all sequences in schema app_schema to app_read_write, app_admin;
grant execute on function app_schema.encryption_key() to app_read_write, app_admin;
grant execute on function app_schema.encrypt_sensitive_data(text) to app_read_write, app_admin;
grant execute on function app_schema.decrypt_sensitive_data(bytea) to app_read_write, app_admin;

-- Tables of later migrations. The role must be named: without FOR ROLE, and for every other role that creates tables here,
-- the grant does not apply. The revoke from PUBLIC cannot be limited to a schema, so later functions repeat the one above.
alter default privileges for role current_user in schema app_schema
  grant select on tables to app_read_only;
alter default privileges for role current_user in schema app_schema
  grant select, insert, update, delete on tables to app_read_write, app_admin;
alter default privileges for role current_user in schema app_schema
  grant usage, select on sequences to app_read_write, app_admin;
alter default privileges for role current_user in schema app_schema
  grant execute on functions to app_read_write, app_admin;

-- Row level security. FORCE: without it the owner of the table would see every row.
alter table app_schema.users enable row level security;
alter table app_schema.users force row level security;
alter table app_schema.user_audit enable row level security;
alter table app_schema.user_audit force row level security;

-- Set by the application inside each transaction: select set_config('app.current_user_id', $1, true).
-- Never set in this session gives null, set in an earlier transaction of a pooled session gives '': both mean "nobody".
-- (select …) is evaluated once per statement, not once per row.
create policy users_read_own on app_schema.users
  for select to app_read_only, app_read_write
  using (id = (select nullif(current_setting('app.current_user_id', true), '')::uuid));

create policy users_insert_own on app_schema.users
  for insert to app_read_write
  with check (id = (select nullif(current_setting('app.current_user_id', true), '')::uuid));

create policy users_update_own on app_schema.users
  for update to app_read_write
  using (id = (select nullif(current_setting('app.current_user_id', true), '')::uuid))
  with check (id = (select nullif(current_setting('app.current_user_id', true), '')::uuid));

create policy users_delete_own on app_schema.users
  for delete to app_read_write
  using (id = (select nullif(current_setting('app.current_user_id', true), '')::uuid));

create policy users_admin on app_schema.users
  for all to app_admin
  using (true)
  with check (true);

create policy user_audit_read_own on app_schema.user_audit
  for select to app_read_only, app_read_write
  using (user_id = (select nullif(current_setting('app.current_user_id', true), '')::uuid));

create policy user_audit_admin on app_schema.user_audit
  for select to app_admin
  using (true);

-- The owner writes the audit rows through the trigger. FORCE binds it too.
create policy user_audit_written_by_trigger on app_schema.user_audit
  for insert to current_user
  with check (true);

-- The jobs of Nightshift. Purge gets SELECT and DELETE on the two tables that have a policy, and UPDATE on their timestamp
-- columns only because SELECT … FOR UPDATE asks for UPDATE on one column. FORCE and row_security = off together refuse
-- every role without BYPASSRLS, whatever its policies allow, so bootstrap gives BYPASSRLS to backup and purge. Where that
-- cannot be granted (RDS), the policies USING (true) below let both see every row with row_security = on, and prove it in
-- the catalog; without them a cut read would look like an empty table.
do $$
begin
  if exists (select from pg_catalog.pg_roles where rolname = 'nightshift_purge') then
    grant usage on schema app_schema to nightshift_purge;
    grant select, delete, update (updated_at) on app_schema.users to nightshift_purge;
    grant select, delete, update (changed_at) on app_schema.user_audit to nightshift_purge;
    create policy users_purge_reads on app_schema.users for select to nightshift_purge using (true);
    create policy users_purge_locks on app_schema.users for update to nightshift_purge using (true);
    create policy users_purge_deletes on app_schema.users for delete to nightshift_purge using (true);
    create policy user_audit_purge_reads on app_schema.user_audit for select to nightshift_purge using (true);
    create policy user_audit_purge_locks on app_schema.user_audit for update to nightshift_purge using (true);
    create policy user_audit_purge_deletes on app_schema.user_audit for delete to nightshift_purge using (true);
  end if;
  if exists (select from pg_catalog.pg_roles where rolname = 'nightshift_backup') then
    create policy users_backup_reads on app_schema.users for select to nightshift_backup using (true);
    create policy user_audit_backup_reads on app_schema.user_audit for select to nightshift_backup using (true);
  end if;
end
$$;

insert into nightshift.data_classification
  (schema_name, table_name, column_name, classification, pii_category, retention_years, encryption_required)
values
  ('app_schema', 'users', 'id', 'INTERNAL', null, 7, false),
  ('app_schema', 'users', 'username', 'INTERNAL', 'user_name', 7, false),
  ('app_schema', 'users', 'email', 'CONFIDENTIAL', 'email_address', 7, true),
  ('app_schema', 'users', 'password_hash', 'RESTRICTED', 'authentication', 7, true),
  ('app_schema', 'users', 'status', 'INTERNAL', null, 7, false),
  ('app_schema', 'users', 'created_at', 'INTERNAL', null, 7, false),
  ('app_schema', 'users', 'updated_at', 'INTERNAL', null, 7, false),
  ('app_schema', 'users', 'last_login_at', 'CONFIDENTIAL', 'behaviour', 7, false),
  ('app_schema', 'users', 'failed_login_attempts', 'INTERNAL', 'authentication', 7, false),
  ('app_schema', 'users', 'locked_until', 'INTERNAL', 'authentication', 7, false),
  ('app_schema', 'user_audit', 'id', 'INTERNAL', null, 7, false),
  ('app_schema', 'user_audit', 'user_id', 'INTERNAL', null, 7, false),
  ('app_schema', 'user_audit', 'action', 'INTERNAL', null, 7, false),
  ('app_schema', 'user_audit', 'old_values', 'CONFIDENTIAL', 'behaviour', 7, false),
  ('app_schema', 'user_audit', 'new_values', 'CONFIDENTIAL', 'behaviour', 7, false),
  ('app_schema', 'user_audit', 'changed_at', 'INTERNAL', null, 7, false),
  ('app_schema', 'user_audit', 'changed_by', 'INTERNAL', null, 7, false);

-- No foreign key says so, because the audit row outlives its user; an erasure and a hold of a person must find it all the same.
update nightshift.data_classification
set
  subject_schema = 'app_schema',
  subject_table = 'users'
where schema_name = 'app_schema'
  and table_name = 'user_audit'
  and column_name = 'user_id';

insert into nightshift.retention_policy
  (name, schema_name, table_name, timestamp_column, retention, predicate, action, archive_before_delete, enabled, reason)
values
  ('inactive-users', 'app_schema', 'users', 'updated_at', interval '7 years', 'status = ''inactive''', 'delete', false, true,
   'GDPR article 5(1)(e): accounts that have been inactive for 7 years'),
  ('user-audit', 'app_schema', 'user_audit', 'changed_at', interval '7 years', null, 'delete', false, true,
   'GDPR article 5(1)(e): audit rows are kept as long as the accounts that they speak of');
