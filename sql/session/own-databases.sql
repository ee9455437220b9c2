-- Scratch databases that the role of the session owns, with what their comment says of their lease; $1 = beginning of the name.
-- Any role; no locks; read only.
select
  datname as name,
  pg_catalog.shobj_description(oid, 'pg_database') as comment
from pg_catalog.pg_database
where datdba = (select oid from pg_catalog.pg_roles where rolname = current_user)
  and starts_with(datname::text, $1)
order by 1;
