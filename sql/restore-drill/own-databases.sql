-- Databases that the drill's own role owns. Any role; no locks; read only.
select datname as name
from pg_catalog.pg_database
where datdba = (select oid from pg_catalog.pg_roles where rolname = current_user)
  and datname like 'nightshift\_drill\_%'
order by 1;
