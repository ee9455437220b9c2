-- The functions of group-role-functions.sql as they are now, so that bootstrap can tell whether it changed them.
-- Role: the administrator. Locks: none. Safe to rerun.
select
  coalesce(string_agg(p.oid::regprocedure || p.prosrc || p.prosecdef || coalesce(p.proacl::text, '') || p.proowner::text, '|' order by p.proname), '') as state
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where n.nspname = 'nightshift'
  and p.proname in ('create_group_role', 'drop_group_role');
