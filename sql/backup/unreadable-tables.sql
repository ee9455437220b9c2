-- Those of the tables $1 whose row level security applies to this role, and whether its policies let the role see
-- every row all the same: a permissive one for SELECT with USING (true), and no restrictive one. No row for a role
-- with BYPASSRLS or superuser. Any role; no locks; read only.
select
  c.oid::text as oid,
  n.nspname as schema,
  c.relname as name,
  coalesce(applied.sees_all, false) and not coalesce(applied.is_restricted, false) as sees_all
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join lateral (
  select
    bool_or(p.polpermissive and pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true') as sees_all,
    bool_or(not p.polpermissive) as is_restricted
  from pg_catalog.pg_policy p
  where p.polrelid = c.oid
    and p.polcmd in ('r', '*')
    -- 0 is PUBLIC.
    and exists (
      select
      from unnest(p.polroles) as of_policy (oid)
      where of_policy.oid = 0
        or pg_catalog.pg_has_role(of_policy.oid, 'usage')
    )
) applied on true
where c.oid = any ($1::oid[])
  and c.relrowsecurity
  and (c.relforcerowsecurity or not pg_catalog.pg_has_role(c.relowner, 'usage'))
  and not exists (
    select
    from pg_catalog.pg_roles
    where rolname = current_user
      and (rolsuper or rolbypassrls)
  )
order by 2, 3;
