-- The volatility of every function by name; of several of one name, the most volatile. Role: any. Locks: none.
-- Safe to rerun.
select
  n.nspname::text as schema,
  p.proname::text as name,
  case
    when bool_or(p.provolatile = 'v') then 'volatile'
    when bool_or(p.provolatile = 's') then 'stable'
    else 'immutable'
  end as volatility
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where p.prokind = 'f'
  and n.nspname <> 'information_schema'
group by n.nspname, p.proname;
