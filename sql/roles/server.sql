-- What bootstrap must know about the server and about the administrator that it works as.
-- Role: the administrator. Locks: none. Safe to rerun.
select
  current_setting('server_version_num')::integer as version_number,
  current_setting('server_version') as version,
  r.rolname as administrator,
  r.rolsuper as is_superuser,
  r.rolcreaterole as may_create_roles,
  current_database() as database,
  pg_get_userbyid(d.datdba) as database_owner,
  to_regnamespace('nightshift') is not null as has_schema,
  pg_get_userbyid((select nspowner from pg_namespace where nspname = 'nightshift')) as schema_owner
from pg_roles r, pg_database d
where r.rolname = current_user
  and d.datname = current_database();
