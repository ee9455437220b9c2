-- The sequences of the scratch database, also those of extensions: an archive sets the values of configured ones.
-- Any role; no locks; read only.
select
  n.nspname as schema,
  c.relname as name
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S'
  and c.relpersistence <> 't'
  and n.nspname <> 'information_schema'
  and n.nspname not like 'pg\_%'
order by 1, 2;
