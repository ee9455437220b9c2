-- Tables of the scratch database whose owner is held by row level security too: their rows could not be counted.
-- Any role; no locks; read only.
select
  n.nspname as schema,
  c.relname as name
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and c.relforcerowsecurity
order by 1, 2;
