-- The sequences whose values pg_dump puts into the archive. Any role; no locks; read only.
select
  n.nspname as schema,
  c.relname as name
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S'
  and c.relpersistence <> 't'
  and n.nspname <> 'information_schema'
  and n.nspname not like 'pg\_%'
  and not exists (
    select
    from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_class'::regclass
      and d.objid = c.oid
      and d.deptype = 'e'
  )
order by 1, 2;
