-- Whether the session $1 waits for a lock now, and for whom. Role: any that sees the session (its own role does).
-- Locks: none of its own; pg_blocking_pids takes all lock-manager partitions for a moment, so only for a waiter.
select
  a.wait_event_type = 'Lock' as waiting,
  case
    when a.wait_event_type = 'Lock' then (
      select string_agg(format('pid %s (%s)', b.pid, coalesce(nullif(b.application_name, ''), 'no application_name')), ', ')
      from pg_stat_activity b
      where b.pid = any (pg_blocking_pids(a.pid))
    )
  end as blockers
from pg_stat_activity a
where a.pid = $1;
