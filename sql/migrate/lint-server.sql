-- What of the server and of this session decides what a migration costs. Role: any. Locks: none. Safe to rerun.
-- The search path is the one that a migration gets by RESET, not the one of the product's own queries.
select
  current_setting('server_version_num')::integer as server_version,
  current_setting('TimeZone') as time_zone,
  (
    select s.reset_val
    from pg_catalog.pg_settings s
    where s.name = 'search_path'
  ) as search_path,
  current_user::text as role_name,
  (
    select r.rolsuper or r.rolbypassrls
    from pg_catalog.pg_roles r
    where r.rolname = current_user
  ) as bypasses_policies,
  (
    select array_agg(n.nspname::text order by n.nspname)
    from pg_catalog.pg_namespace n
  ) as schemas,
  (
    select t.spcname::text
    from pg_catalog.pg_database d
    join pg_catalog.pg_tablespace t on t.oid = d.dattablespace
    where d.datname = current_database()
  ) as default_tablespace;
