-- What earlier runs have left under way on the table $2.$3 or of the policy $1: planned, detached, or detached and then kept.
-- Role: nightshift_purge. Locks: none. Safe to rerun.
select
  record.purge_partition_id::text as record_id,
  record.schema_name::text as schema_name,
  record.table_name::text as table_name,
  record.table_oid,
  record.bounds,
  record.state,
  record.byte_count::float8 as byte_count
from nightshift.purge_partition as record
where (record.policy = $1 or (record.parent_schema = $2 and record.parent_table = $3))
  and (
    record.state in ('planned', 'detached')
    -- One that was kept after its detach is still past retention, unless somebody has attached it again or dropped it.
    or (
      record.state = 'kept'
      and record.detached_at is not null
      and exists (
        select
        from pg_class
        where pg_class.oid = record.table_oid
          and not pg_class.relispartition
      )
      and not exists (
        select
        from nightshift.purge_partition as later
        where later.table_oid = record.table_oid
          and later.purge_partition_id > record.purge_partition_id
      )
    )
  )
order by record.purge_partition_id;
