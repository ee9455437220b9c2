-- What only a superuser's pg_dump would put into the archive. Any role; no locks; read only.
select kind || ' ' || name as name
from (
  select 'subscription' as kind, subname::text as name
  from pg_catalog.pg_subscription
  where subdbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  union all
  select 'options of the user mapping', m.usename || ' on ' || m.srvname
  from pg_catalog.pg_user_mappings m
) missed
where not (select rolsuper from pg_catalog.pg_roles where rolname = current_user)
order by 1;
