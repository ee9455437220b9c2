-- The stop flags that nobody has lifted. Role: nightshift_purge. Locks: none. Safe to rerun.
select
  purge_stop_id::text as "stopId",
  reason,
  placed_by as "placedBy",
  to_char(placed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "placedAt"
from nightshift.purge_stop
where lifted_at is null
order by purge_stop_id;
