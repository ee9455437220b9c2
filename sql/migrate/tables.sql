-- Tables and filled materialized views: what has rows of its own, without those of extensions and of the system. Any role; no locks; read only.
select
  n.nspname::text as schema,
  c.relname::text as name,
  c.relforcerowsecurity as is_forced
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where (c.relkind = 'r' or (c.relkind = 'm' and c.relispopulated))
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
order by 1, 2
