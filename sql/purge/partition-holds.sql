-- Legal holds in force that a partition may be under: on the partition $1 (oid) or a table inside of it, on its parent $2 (oid) or a
-- table above that, on any person, and on a table that is not there (is_lost). Role: nightshift_purge. Locks: none. Safe to rerun.
with own as materialized (
  select relid::oid as table_oid
  from pg_partition_tree($1)
  union
  select relid::oid
  from pg_partition_ancestors($2)
  union
  select unnest(array[$1, $2]::oid[])
)
select
  hold.hold_id::text as hold_id,
  hold.key_value,
  hold.is_subject,
  class.oid as table_oid,
  format('%s.%s', hold.schema_name, hold.table_name) as table_name,
  coalesce(class.oid in (select table_oid from own), false) as is_own,
  class.oid is null as is_lost
from nightshift.legal_hold as hold
left join pg_namespace as namespace on namespace.nspname = hold.schema_name
left join pg_class as class
  on class.relnamespace = namespace.oid
  and class.relname = hold.table_name
where hold.released_at is null
  and (hold.held_until is null or hold.held_until > clock_timestamp())
  and (hold.is_subject or class.oid is null or class.oid in (select table_oid from own))
order by hold.hold_id;
