-- Who has waited for a lock the longest, and the session at the root of the queue.
-- Role: pg_monitor (without it wait_event_type of other roles is null). Locks: none of its own; pg_blocking_pids
-- takes the lock manager's partitions for an instant, therefore it is called for waiting sessions only.
-- Safe to rerun.
with recursive
  waiter as materialized (
    select
      activity.pid,
      pg_blocking_pids(activity.pid) as blockers,
      extract(epoch from clock_timestamp() - waits.since)::float8 as wait_seconds
    from pg_stat_activity as activity
    join lateral (
      select min(waitstart) as since
      from pg_locks
      where pg_locks.pid = activity.pid
        and not granted
    ) as waits on waits.since is not null
    where activity.wait_event_type = 'Lock'
  ),
  chain (pid, wait_seconds, blocker, path) as (
    select
      waiter.pid,
      waiter.wait_seconds,
      first.pid,
      array[waiter.pid]
    from waiter
    cross join unnest(waiter.blockers) as first (pid)
    union all
    select
      chain.pid,
      chain.wait_seconds,
      next.pid,
      chain.path || chain.blocker
    from chain
    join waiter on waiter.pid = chain.blocker
    cross join unnest(waiter.blockers) as next (pid)
    where chain.blocker <> all (chain.path)
  ),
  root as (
    select
      chain.blocker as pid,
      count(distinct chain.pid)::int as waiting,
      max(chain.wait_seconds) as wait_seconds
    from chain
    where not exists (select from waiter where waiter.pid = chain.blocker)
    group by chain.blocker
  )
select
  root.wait_seconds as value,
  root.pid,
  root.waiting,
  activity.usename::text as role_name,
  activity.datname::text as database_name,
  activity.application_name::text as application_name,
  activity.state::text as state,
  extract(epoch from clock_timestamp() - activity.xact_start)::float8 as open_seconds
from root
left join pg_stat_activity as activity on activity.pid = root.pid
order by root.wait_seconds desc
limit 5;
