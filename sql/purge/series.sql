-- The runs of a series. $1 = series. Role: nightshift_purge. Locks: none. Safe to rerun.
select
  purge_run_id::text as purge_run_id,
  request_id,
  requested_by,
  started_at,
  finished_at,
  state,
  cutoff::text as cutoff,
  batches,
  rows_done::float8 as rows_done,
  rows_held::float8 as rows_held,
  rows_referenced::float8 as rows_referenced,
  rows_left::float8 as rows_left,
  rows_by_table,
  certificate_key,
  database_role::text as database_role
from nightshift.purge_run
where coalesce(series_id, purge_run_id) = $1::bigint
-- By the number: the column of the answer with the same name is a text, in which 9 comes after 10.
order by purge_run.purge_run_id;
