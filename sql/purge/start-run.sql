-- Writes down that a run of a policy has begun. Role: nightshift_purge. Locks: ROW EXCLUSIVE on nightshift.purge_run.
insert into nightshift.purge_run
  (policy, request_id, requested_by, action, schema_name, table_name, cutoff, state, cursor_timestamp, cursor_key)
values
  ($1, $2, $3, 'delete', $4, $5, $6::timestamptz, 'running', $7::timestamptz, $8)
returning purge_run_id::text as purge_run_id;
