-- Every relation of the users that a full pg_dump would name: what a backup leaves out is found by comparing with it.
-- Objects of extensions come with their extension; indexes, TOAST and row types with their table. Any role; read only.
select
  case c.relkind
    when 'v' then 'view'
    when 'm' then 'materialized view'
    when 'S' then 'sequence'
    when 'f' then 'foreign table'
    else 'table'
  end as kind,
  n.nspname as schema,
  c.relname as name,
  c.oid::text as oid,
  c.relkind = 'r' as has_rows
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
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
order by 2, 3;
