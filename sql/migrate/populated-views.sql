-- Materialized views with contents, those that others are made of first: in the order in which they were made.
-- Any role; no locks; read only.
select
  n.nspname::text as schema,
  c.relname::text as name
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'm'
  and c.relispopulated
order by c.oid
