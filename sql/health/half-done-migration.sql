-- The migration file of which only some statements are committed, and for how many hours.
-- Role: SELECT on nightshift.migration, which bootstrap grants. Locks: none beyond its own read. Safe to rerun.
select
  greatest(extract(epoch from clock_timestamp() - half_done_since) / 3600, 0)::float8 as value,
  number,
  name,
  state,
  statements_done
from nightshift.migration
where state <> 'applied'
order by half_done_since
limit 1;
