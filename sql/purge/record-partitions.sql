-- Counts in a run what its series has dropped and no other run of it has counted: a run that was killed after a drop had no
-- time to. $1 = run, $2 = series. Role: nightshift_purge. Locks: ROW EXCLUSIVE on nightshift.purge_run. Safe to rerun.
update nightshift.purge_run as run
set
  rows_done = dropped.rows_done - others.rows_done,
  batches = dropped.partitions - others.batches,
  changed_at = clock_timestamp()
from
  (
    select
      coalesce(sum(row_count), 0)::bigint as rows_done,
      count(*)::int as partitions
    from nightshift.purge_partition
    where series_id = $2::bigint
      and state = 'dropped'
  ) as dropped,
  (
    select
      coalesce(sum(rows_done), 0)::bigint as rows_done,
      coalesce(sum(batches), 0)::int as batches
    from nightshift.purge_run
    where coalesce(series_id, purge_run_id) = $2::bigint
      and purge_run_id <> $1::bigint
  ) as others
where run.purge_run_id = $1::bigint
  and run.state = 'running'
returning run.rows_done::float8 as rows_done;
