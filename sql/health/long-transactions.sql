-- The oldest open transactions of applications, all databases, oldest first.
-- Role: pg_monitor (without it xact_start of other roles is null). Locks: none. Safe to rerun.
-- Not counted: walsenders and autovacuum (their own checks look at them), this session, and the backup of Nightshift,
-- whose snapshot is meant to be old and which `oldest-xmin` shows.
select
  extract(epoch from clock_timestamp() - xact_start)::float8 as value,
  pid,
  usename::text as role_name,
  datname::text as database_name,
  application_name::text as application_name,
  state::text as state
from pg_stat_activity
where backend_type = 'client backend'
  and xact_start is not null
  and pid <> pg_backend_pid()
  and application_name not like 'nightshift/backup%'
  and application_name not like 'nightshift/holder%'
order by xact_start
limit 10;
