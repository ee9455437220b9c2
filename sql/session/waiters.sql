-- How many sessions wait for a lock that the session $1 holds, and the longest of these waits in milliseconds.
-- Role: any. Locks: none of its own; pg_blocking_pids takes all lock-manager partitions for a moment, so only for those that
-- wait. Safe to rerun.
with waiting as materialized (
  select
    pid,
    min(waitstart) as since
  from pg_locks
  where not granted
    and pid <> $1
  group by pid
)
select
  count(*)::integer as waiters,
  -- The server notes the start of a wait a moment after it began.
  coalesce(max(extract(epoch from clock_timestamp() - since) * 1000), 0)::integer as longest_ms
from waiting
where $1 = any (pg_blocking_pids(pid));
