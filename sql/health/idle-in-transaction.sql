-- Sessions that opened a transaction and do nothing in it, all databases, longest first.
-- Role: pg_monitor (without it state of other roles is null). Locks: none. Safe to rerun.
-- Not counted: the backup of Nightshift, whose session waits by design while it holds the snapshot for the others.
select
  extract(epoch from clock_timestamp() - state_change)::float8 as value,
  pid,
  usename::text as role_name,
  datname::text as database_name,
  application_name::text as application_name,
  state::text as state,
  coalesce(age(backend_xmin), 0)::float8 as xmin_age,
  current_setting('idle_in_transaction_session_timeout') as server_timeout
from pg_stat_activity
where state in ('idle in transaction', 'idle in transaction (aborted)')
  and pid <> pg_backend_pid()
  and application_name not like 'nightshift/backup%'
  and application_name not like 'nightshift/holder%'
order by state_change
limit 10;
