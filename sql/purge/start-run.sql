-- Writes down that a run of a policy has begun. $10 = series, null for a new one, whose number is that of the run.
-- Role: nightshift_purge. Locks: ROW EXCLUSIVE on nightshift.purge_run.
insert into nightshift.purge_run (
  policy, request_id, requested_by, action, schema_name, table_name, cutoff, state, cursor_timestamp, cursor_key,
  series_id, policy_version, execution_id, subject_reference
)
values (
  $1, $2, $3, $4, $5, $6, $7::timestamptz, 'running', $8::timestamptz, $9,
  $10::bigint, $11::int, $12, $13
)
returning
  purge_run_id::text as purge_run_id,
  coalesce(series_id, purge_run_id)::text as series_id;
