-- Roles that this database's objects name (as owner, in a grant, in a policy): a restore needs them on its server.
-- Any role; no locks; read only.
select r.rolname as name
from pg_catalog.pg_roles r
where r.oid in (
  select d.refobjid
  from pg_catalog.pg_shdepend d
  where d.refclassid = 'pg_catalog.pg_authid'::regclass
    and d.dbid in (0, (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
)
  and r.rolname not like 'pg\_%'
order by 1;
