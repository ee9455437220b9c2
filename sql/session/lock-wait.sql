-- Whether the session $1 waits for a lock now, and for whom. Role: any that sees the session (its own role does);
-- pg_read_all_stats to see what sessions of other roles run. Locks: none of its own; pg_blocking_pids takes all lock-manager
-- partitions for a moment, so only for a waiter. Safe to rerun.
select
  a.wait_event_type = 'Lock' as waiting,
  case
    when a.wait_event_type = 'Lock' then (
      select
        jsonb_agg(
          jsonb_build_object(
            'processId', b.pid,
            'applicationName', nullif(b.application_name, ''),
            'state', b.state,
            'transactionSeconds', round(extract(epoch from clock_timestamp() - b.xact_start))::integer,
            'statement', left(b.query, 2000)
          )
          order by b.xact_start nulls last, b.pid
        )
      from pg_stat_activity b
      where b.pid = any (pg_blocking_pids(a.pid))
    )
  end as blockers
from pg_stat_activity a
where a.pid = $1;
