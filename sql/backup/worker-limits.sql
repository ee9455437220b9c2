-- The time limits of a worker's transaction. For a lock: 60 s, or more where the server is slow to look for deadlocks,
-- because the holder of the snapshot lets the worker pass a queued DDL by such a look. Any role; no locks.
select
  pg_catalog.set_config('lock_timeout', greatest(60000, 4 * setting::bigint)::text, true),
  -- From PostgreSQL 17 on: a copy step has its own deadline.
  (select pg_catalog.set_config(name, '0', true) from pg_catalog.pg_settings where name = 'transaction_timeout')
from pg_catalog.pg_settings
where name = 'deadlock_timeout';
