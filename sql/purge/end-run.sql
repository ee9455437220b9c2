-- Ends a run. $1 = run, $2 = state, $3 = rows held, $4 = rows referenced, $5 = rows left or null, $6 = error or null,
-- $7 = the oldest row that is left, or null.
-- Role: nightshift_purge. Locks: ROW EXCLUSIVE on nightshift.purge_run. A run that has ended stays as it is.
update nightshift.purge_run
set
  state = $2,
  rows_held = $3::bigint,
  rows_referenced = $4::bigint,
  rows_left = $5::bigint,
  error = $6,
  oldest_left = $7::timestamptz,
  changed_at = clock_timestamp(),
  finished_at = clock_timestamp()
where purge_run_id = $1::bigint
  and state = 'running';
