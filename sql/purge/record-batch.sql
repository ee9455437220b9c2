-- Counts a batch and moves the cursor, in the transaction of the batch. $1 = run, $2 = rows, $3 = cursor timestamp,
-- $4 = cursor key, $5 = rows of other tables by this run so far, $6 = size of the batch.
-- Role: nightshift_purge. Locks: ROW EXCLUSIVE on nightshift.purge_run.
update nightshift.purge_run
set
  batches = batches + 1,
  rows_done = rows_done + $2::bigint,
  cursor_timestamp = $3::timestamptz,
  cursor_key = $4,
  rows_by_table = $5::jsonb,
  batch_rows = $6::int,
  changed_at = clock_timestamp()
where purge_run_id = $1::bigint
  and state = 'running';
