-- The stop flag that has stood longest, in hours. Role: SELECT on nightshift.purge_stop, which bootstrap grants. Locks: none.
-- Safe to rerun.
select
  greatest(extract(epoch from clock_timestamp() - placed_at) / 3600, 0)::float8 as value,
  placed_by,
  (count(*) over ())::integer as flags
from nightshift.purge_stop
where lifted_at is null
order by placed_at
limit 1;
