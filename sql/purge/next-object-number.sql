-- The number of the next object of a table in a series. $1 = series, $2 = schema, $3 = table.
-- Role: nightshift_purge. Locks: none; only the holder of the lock of purge asks. Safe to rerun.
select coalesce(max(number), 0) + 1 as number
from nightshift.purge_object
where series_id = $1::bigint
  and schema_name = $2
  and table_name = $3;
