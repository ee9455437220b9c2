-- Tables that pg_dump cannot lock as this role, so that they are left out of a copy of the schema. Any role; no locks.
select
  n.nspname::text as schema,
  c.relname::text as name
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and c.relpersistence <> 't'
  and n.nspname <> 'information_schema'
  and n.nspname not like 'pg\_%'
  and not (
    pg_catalog.has_schema_privilege(n.oid, 'usage')
    and pg_catalog.has_table_privilege(c.oid, 'select')
  )
order by 1, 2
