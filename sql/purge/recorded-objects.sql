-- The objects of the archive of a series, in the order in which its manifest names them. $1 = series.
-- Role: nightshift_purge. Locks: none. Safe to rerun.
select
  schema_name as schema,
  table_name as name,
  column_names as columns,
  generated_columns as generated,
  object_key as key,
  row_count::text as rows,
  byte_count::text as bytes,
  sha256
from nightshift.purge_object
where series_id = $1::bigint
order by schema_name collate "C", table_name collate "C", number;
