-- Tables whose row level security applies to this role: their rows could not all be read. None for a role with
-- BYPASSRLS or superuser. Any role; no locks; read only.
select
  n.nspname as schema,
  c.relname as name
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and c.relrowsecurity
  and (c.relforcerowsecurity or not pg_catalog.pg_has_role(c.relowner, 'usage'))
  and not exists (
    select
    from pg_catalog.pg_roles
    where rolname = current_user
      and (rolsuper or rolbypassrls)
  )
order by 1, 2;
