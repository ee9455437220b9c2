-- The newest run of a policy, where the next one goes on when it did not finish. $1 = policy,
-- $2 = cutoff of the new run: a cursor beyond it (the retention period was made longer) is of no use.
-- Role: nightshift_purge. Locks: none. Safe to rerun.
select
  state,
  case when cursor_timestamp <= $2::timestamptz then cursor_timestamp::text end as cursor_timestamp,
  case when cursor_timestamp <= $2::timestamptz then cursor_key end as cursor_key
from nightshift.purge_run
where policy = $1
order by purge_run_id desc
limit 1;
