-- Whether purge should wait: the stop flag, replicas, replication slots, and VACUUM on the tables $1 (oids) or their TOAST tables.
-- Role: nightshift_purge (SELECT on nightshift.purge_stop; member of pg_read_all_stats, without which the server shows neither the
-- lag of a replica nor the table of a VACUUM: reads_all_stats says so). Locks: none. Safe to rerun.
-- pg_current_wal_lsn() is asked only where there is a replica or a slot: a standby has none, and Aurora may refuse it.
select
  pg_has_role('pg_read_all_stats', 'usage') as reads_all_stats,
  to_regprocedure('aurora_replica_status()') is not null as is_aurora,
  (
    select jsonb_build_object('reason', reason, 'by', placed_by, 'since', placed_at)
    from nightshift.purge_stop
    where lifted_at is null
    order by purge_stop_id
    limit 1
  ) as stop,
  (
    select
      coalesce(
        jsonb_agg(
          jsonb_build_object(
            'name', coalesce(nullif(replication.application_name, ''), replication.pid::text),
            -- Null where a replica has replayed everything and nothing more was written.
            'seconds', extract(epoch from replication.replay_lag),
            'bytes', case
              when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), replication.replay_lsn)
            end
          )
          order by replication.application_name, replication.pid
        ),
        '[]'
      )
    from pg_stat_replication as replication
    where replication.state in ('streaming', 'catchup')
  ) as replicas,
  (
    select
      coalesce(
        jsonb_agg(
          jsonb_build_object(
            'name', slot.slot_name,
            'isActive', slot.active,
            'bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), slot.restart_lsn)
          )
          order by slot.restart_lsn
        ),
        '[]'
      )
    from pg_replication_slots as slot
    where slot.restart_lsn is not null
      and not pg_is_in_recovery()
  ) as slots,
  (
    select
      coalesce(
        jsonb_agg(
          jsonb_build_object(
            'table', format('%s.%s', namespace.nspname, class.relname),
            'isAutomatic', coalesce(activity.backend_type = 'autovacuum worker', false),
            'phase', vacuum.phase,
            'part', case when vacuum.heap_blks_total > 0 then vacuum.heap_blks_scanned::float8 / vacuum.heap_blks_total end,
            'processId', vacuum.pid
          )
          order by vacuum.pid
        ),
        '[]'
      )
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = class.relnamespace
    join pg_stat_progress_vacuum as vacuum
      on vacuum.relid in (class.oid, class.reltoastrelid)
      and vacuum.datid = (select oid from pg_database where datname = current_database())
    left join pg_stat_activity as activity on activity.pid = vacuum.pid
    where class.oid = any ($1::oid[])
  ) as vacuums;
