-- The partitions of a series in order of their plan. $1 = series. Role: nightshift_purge. Locks: none. Safe to rerun.
select
  format('%s.%s', schema_name, table_name) as "table",
  bounds,
  byte_count::float8 as bytes,
  row_count::float8 as rows,
  state
from nightshift.purge_partition
where series_id = $1::bigint
order by purge_partition_id;
