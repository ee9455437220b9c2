-- How old the oldest transaction id of each database is, all databases of the server, oldest first.
-- Role: any. Locks: none. Safe to rerun.
-- template0 counts: its old rows stop the server as well.
select
  age(datfrozenxid)::float8 as value,
  datname::text as database_name,
  datname = current_database() as is_current,
  current_setting('autovacuum_freeze_max_age')::float8 as freeze_max_age
from pg_database
order by age(datfrozenxid) desc
limit 5;
