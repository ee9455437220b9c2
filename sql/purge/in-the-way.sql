-- Sessions that a lock on the table $1 (oid) would have to wait for: they hold one of it; with $2 also those whose transaction has
-- a snapshot for longer than $2 milliseconds, which DETACH … FINALIZE waits for. Longest transaction first.
-- Role: any; pg_read_all_stats to see what sessions of other roles run. Locks: none. Safe to rerun.
select
  activity.pid as "processId",
  nullif(activity.application_name, '') as "applicationName",
  activity.state,
  round(extract(epoch from clock_timestamp() - activity.xact_start))::integer as "transactionSeconds",
  left(activity.query, 2000) as statement
from pg_stat_activity as activity
where activity.pid <> pg_backend_pid()
  and (
    activity.pid in (
      select held.pid
      from pg_locks as held
      where held.locktype = 'relation'
        and held.granted
        and held.database = (select oid from pg_database where datname = current_database())
        and held.relation = $1::oid
    )
    or (
      activity.datname = current_database()
      and activity.backend_xmin is not null
      and activity.xact_start < clock_timestamp() - make_interval(secs => $2::float8 / 1000)
      -- The server does not wait for VACUUM, whose snapshot sees no row of anybody.
      and activity.pid not in (select pid from pg_stat_progress_vacuum)
    )
  )
order by activity.xact_start nulls last, activity.pid
limit 3;
