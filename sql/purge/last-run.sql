-- The newest run of a policy, with which the next one goes on when it did not finish. $1 = policy, $2 = action,
-- $3 = cutoff of the new run: a cursor beyond it (the retention period was made longer) is of no use.
-- Role: nightshift_purge. Locks: none. Safe to rerun.
select
  purge_run_id::text as purge_run_id,
  coalesce(series_id, purge_run_id)::text as series_id,
  state,
  execution_id,
  schema_name::text as schema_name,
  table_name::text as table_name,
  batch_rows,
  case when cursor_timestamp <= $3::timestamptz then cursor_timestamp::text end as cursor_timestamp,
  case when cursor_timestamp <= $3::timestamptz then cursor_key end as cursor_key
from nightshift.purge_run
where policy = $1
  and action = $2
-- By the number: the column of the answer with the same name is a text, in which 9 comes after 10.
order by purge_run.purge_run_id desc
limit 1;
