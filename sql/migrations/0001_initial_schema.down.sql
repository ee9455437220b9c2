-- Removes the sample application schema with all its rows, and every trace of it in schema nightshift.
-- Role: nightshift_migrate. Locks: ACCESS EXCLUSIVE on app_schema.users and app_schema.user_audit. Not safe to rerun by hand.
-- No CASCADE and no IF EXISTS: an object that a later migration built on these makes this fail, and nothing is lost.
-- nightshift: allow prefer-static-sql because only the server knows in which schema pgcrypto is.

delete from nightshift.retention_policy where schema_name = 'app_schema';
delete from nightshift.data_classification where schema_name = 'app_schema';

-- Default privileges for objects in the schema go with the schema; policies, triggers and indexes go with their table.
drop table app_schema.user_audit;
drop table app_schema.users;
drop function app_schema.audit_users();
drop function app_schema.set_updated_at();
drop function app_schema.decrypt_sensitive_data(bytea);
drop function app_schema.encrypt_sensitive_data(text);
drop function app_schema.encryption_key();
drop schema app_schema;

-- Only where the up file made it: in the schema that the up file makes for it. Otherwise the right to use it goes.
do $$
declare
  crypto_schema name;
begin
  select n.nspname
  into crypto_schema
  from pg_catalog.pg_extension e
  join pg_catalog.pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'pgcrypto';

  if crypto_schema = 'app_crypto' then
    drop extension pgcrypto;
    drop schema app_crypto;
  elsif crypto_schema is not null then
    execute format('revoke usage on schema %I from app_read_write, app_admin', crypto_schema);
  end if;
end
$$;

-- A role goes only when create_group_role made it from this database, nobody is a member of it, and nothing in any
-- database of the cluster depends on it; otherwise it stays, with a notice.
do $$
declare
  unwanted name;
begin
  if to_regprocedure('nightshift.drop_group_role(name)') is not null then
    foreach unwanted in array array['app_admin', 'app_read_write', 'app_read_only']::name[] loop
      perform nightshift.drop_group_role(unwanted);
    end loop;
  end if;
end
$$;
