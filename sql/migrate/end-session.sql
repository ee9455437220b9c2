-- Ends the session $1 when it is the one that began at the time of the row of the long step, and is idle.
-- Role: the same role as that session's, or pg_signal_backend. Locks: none. Safe to rerun.
select pg_terminate_backend(a.pid, 5000) as ended
from pg_stat_activity a
join nightshift.migration_long_step l
  on l.process_id = a.pid
  and l.backend_start = a.backend_start
where a.pid = $1
  and a.state <> 'active';
