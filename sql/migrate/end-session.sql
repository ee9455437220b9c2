-- Ends the session $1 when it is the one of the long step and has been idle for $2 seconds: its client lives on without listening.
-- A run that is alive is never idle for so long after its statement; one in batches is idle between them, and is left alone.
-- Role: the same role as that session's, or pg_signal_backend. Locks: none. Safe to rerun.
select pg_terminate_backend(a.pid, 5000) as ended
from pg_stat_activity a
join nightshift.migration_long_step l
  on l.process_id = a.pid
  and l.backend_start = a.backend_start
where a.pid = $1
  and l.operation <> 'batches'
  and a.state = 'idle'
  and a.state_change < clock_timestamp() - make_interval(secs => $2);
