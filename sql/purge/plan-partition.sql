-- Writes down that a partition is to be detached and dropped, before anything is done to it; one that was planned already is
-- taken over. Role: nightshift_purge. Locks: row. Safe to rerun: one row for each table that is under way.
insert into nightshift.purge_partition as record
  (policy, series_id, parent_schema, parent_table, schema_name, table_name, table_oid, bounds, state, byte_count)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'planned', $9)
on conflict (table_oid) where state in ('planned', 'detached') do update set
  policy = excluded.policy,
  series_id = excluded.series_id,
  parent_schema = excluded.parent_schema,
  parent_table = excluded.parent_table,
  schema_name = excluded.schema_name,
  table_name = excluded.table_name,
  bounds = excluded.bounds,
  byte_count = excluded.byte_count
returning record.purge_partition_id::text as record_id;
