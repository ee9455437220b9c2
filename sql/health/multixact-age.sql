-- How old the oldest multixact id of each database is, all databases of the server, oldest first.
-- Role: any. Locks: none. Safe to rerun.
select
  mxid_age(datminmxid)::float8 as value,
  datname::text as database_name,
  datname = current_database() as is_current,
  current_setting('autovacuum_multixact_freeze_max_age')::float8 as freeze_max_age
from pg_database
order by mxid_age(datminmxid) desc
limit 5;
