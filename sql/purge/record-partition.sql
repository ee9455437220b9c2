-- Moves the record $1 of a partition to the state $2, for the series $3, with its rows $4 where they are known.
-- Role: nightshift_purge. Locks: row. Safe to rerun.
update nightshift.purge_partition
set state = $2,
  series_id = $3,
  row_count = coalesce($4, row_count),
  detached_at = case when $2 in ('detached', 'dropped') then coalesce(detached_at, clock_timestamp()) else detached_at end,
  dropped_at = case when $2 = 'dropped' then clock_timestamp() end
where purge_partition_id = $1;
