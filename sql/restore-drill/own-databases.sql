-- Databases that the drill's own role owns, with what their comment says of their lease.
-- Any role; no locks; read only.
select
  datname as name,
  pg_catalog.shobj_description(oid, 'pg_database') as comment
from pg_catalog.pg_database
where datdba = (select oid from pg_catalog.pg_roles where rolname = current_user)
  and datname like 'nightshift\_drill\_%'
order by 1;
