-- How much a backup would read, roughly: all tables with their TOAST, and the large objects. Any role; no locks that wait
-- for anything but a running ALTER or TRUNCATE of the table; read only.
select (
  coalesce(sum(pg_catalog.pg_table_size(c.oid)), 0)
    + pg_catalog.pg_table_size('pg_catalog.pg_largeobject'::regclass)
)::text as bytes
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r'
  and c.relpersistence <> 't'
  and n.nspname <> 'information_schema'
  and n.nspname not like 'pg\_%';
