-- Roles that this database and its objects name (as owner, in a grant, in a policy): a restore needs them on its server. Shared
-- objects are databases and tablespaces of the whole server: whoever owns another database is no matter of this one.
-- Any role; no locks; read only.
select r.rolname as name
from pg_catalog.pg_roles r
where r.oid in (
  select d.refobjid
  from pg_catalog.pg_shdepend d
  join pg_catalog.pg_database b on b.datname = pg_catalog.current_database()
  where d.refclassid = 'pg_catalog.pg_authid'::regclass
    and (d.dbid = b.oid or (d.classid = 'pg_catalog.pg_database'::regclass and d.objid = b.oid))
)
  and r.rolname not like 'pg\_%'
order by 1;
