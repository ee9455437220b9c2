-- Tables and materialized views without statistics of their rows, largest first: an archive holds none, so a new database
-- plans blindly until they are made. Whoever owns them; no locks; read only.
select
  n.nspname as schema,
  c.relname as name
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm')
  and c.relpersistence <> 't'
  and n.nspname !~ '^(pg_|information_schema$|nightshift_restore$)'
  and pg_catalog.pg_has_role(c.relowner, 'usage')
order by c.relpages desc, 1, 2;
