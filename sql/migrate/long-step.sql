-- The statement that runs alone, with its session as it is now: gone, idle or at work, and how far. One row or none.
-- Role: nightshift_migrate; it sees its own sessions. Locks: none; pg_blocking_pids takes all lock-manager partitions for a moment.
-- Safe to rerun.
select
  l.number,
  l.direction,
  l.statement_number,
  l.operation,
  l.statement,
  l.process_id,
  l.started_at,
  l.catalog_before,
  l.batch_cursor,
  l.rows_done::double precision as rows_done,
  a.pid is not null as is_connected,
  coalesce(a.state = 'active', false) as is_at_work,
  extract(epoch from clock_timestamp() - l.started_at)::double precision as seconds,
  coalesce(i.phase, v.phase) as phase,
  coalesce(nullif(i.blocks_total, 0), nullif(i.tuples_total, 0), v.heap_blks_total)::double precision as total,
  case
    when i.blocks_total > 0 then i.blocks_done
    when i.tuples_total > 0 then i.tuples_done
    else v.heap_blks_scanned
  end::double precision as done,
  case
    when i.blocks_total > 0 then 'blocks'
    when i.tuples_total > 0 then 'rows'
    when v.pid is not null then 'blocks'
  end as unit,
  i.lockers_total::integer as lockers_total,
  i.lockers_done::integer as lockers_done,
  (
    select
      jsonb_agg(
        jsonb_build_object(
          'processId', b.pid,
          'applicationName', nullif(b.application_name, ''),
          'state', b.state,
          'transactionSeconds', round(extract(epoch from clock_timestamp() - b.xact_start))::integer,
          'statement', left(b.query, 2000)
        )
        order by b.pid
      )
    from pg_stat_activity b
    where b.pid = any (pg_blocking_pids(a.pid))
      or b.pid = nullif(i.current_locker_pid, 0)
  ) as blockers
from nightshift.migration_long_step l
left join pg_stat_activity a
  on a.pid = l.process_id
  and a.backend_start = l.backend_start
  and a.datname = current_database()
left join pg_stat_progress_create_index i on i.pid = a.pid
left join pg_stat_progress_vacuum v on v.pid = a.pid
where l.kind = 'application';
