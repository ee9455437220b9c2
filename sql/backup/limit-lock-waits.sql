-- How long a worker waits for a lock in this transaction: 60 s, or more where the server is slow to look for deadlocks,
-- because the holder of the snapshot lets it pass a queued DDL by such a look. Any role; no locks.
select pg_catalog.set_config('lock_timeout', greatest(60000, 4 * setting::bigint)::text, true)
from pg_catalog.pg_settings
where name = 'deadlock_timeout';
