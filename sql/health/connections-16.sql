-- How much of the connections that applications may open is in use. PostgreSQL 16 and later: reserved_connections is new.
-- Role: pg_monitor (without it backend_type of other roles is null). Locks: none. Safe to rerun.
-- Counts client backends only: background workers and walsenders do not use these slots.
with
  slots as (
    select
      current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - current_setting('reserved_connections')::int as usable
  ),
  used as (
    select
      count(*) as backends,
      count(*) filter (where state = 'idle') as idle
    from pg_stat_activity
    where backend_type = 'client backend'
  )
select
  (100.0 * used.backends / nullif(slots.usable, 0))::float8 as value,
  used.backends::int as backends,
  used.idle::int as idle,
  slots.usable::int as usable
from slots
cross join used;
