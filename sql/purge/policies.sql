-- The policies that may run, each with its cutoff of this moment. $1 = a name, or null for all that are enabled.
-- Role: nightshift_purge (SELECT on nightshift.retention_policy). Locks: none. Safe to rerun.
select
  name,
  schema_name::text as schema_name,
  table_name::text as table_name,
  to_regclass(format('%I.%I', schema_name, table_name))::oid::int8::text as table_oid,
  timestamp_column::text as timestamp_column,
  retention::text as retention,
  predicate,
  action,
  archive_before_delete,
  enabled,
  batch_rows,
  reason,
  version,
  anonymise,
  marker_column::text as marker_column,
  keep_partitions,
  (transaction_timestamp() - retention)::text as cutoff,
  transaction_timestamp() - retention < transaction_timestamp() as is_past
from nightshift.retention_policy
where name = $1
  or ($1 is null and enabled)
order by name;
