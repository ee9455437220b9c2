-- How far the readers of an Aurora cluster are behind its writer. Only where pressure.sql has found the function.
-- A reader that is gone keeps its row for a while: one that has not spoken for 5 minutes is no reader.
-- Role: any that may call aurora_replica_status(). Locks: none. Safe to rerun.
select
  server_id as name,
  (replica_lag_in_msec / 1000)::float8 as seconds
from aurora_replica_status()
where session_id <> 'MASTER_SESSION_ID'
  and (last_update_timestamp is null or last_update_timestamp > clock_timestamp() - interval '5 minutes')
order by server_id;
