-- Rows without a finite timestamp: they have no age, so they are never past retention.
-- Role: nightshift_purge (SELECT). Locks: ACCESS SHARE. Safe to rerun.
select count(*)::float8 as rows
from {table} as t
where t.{timestamp} is null
  or t.{timestamp} in ('infinity', '-infinity');
