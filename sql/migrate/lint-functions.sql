-- The volatility of every function by name; of several of one name, the most volatile. Role: any. Locks: none.
-- inlined_body: the text of a function in SQL that the server may put in place of its call, and that then decides whether
-- the call is volatile (inline_function in clauses.c). Safe to rerun.
select
  n.nspname::text as schema,
  p.proname::text as name,
  case
    when bool_or(p.provolatile = 'v') then 'volatile'
    when bool_or(p.provolatile = 's') then 'stable'
    else 'immutable'
  end as volatility,
  case
    when count(*) = 1 then
      max(p.prosrc) filter (
        where l.lanname = 'sql'
          and n.nspname <> 'pg_catalog'
          and not (p.prosecdef or p.proretset or p.proisstrict)
          and p.proconfig is null
          and p.prosqlbody is null
      )
  end as inlined_body
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where p.prokind = 'f'
  and n.nspname <> 'information_schema'
group by n.nspname, p.proname;
