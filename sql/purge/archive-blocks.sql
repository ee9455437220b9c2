-- The rows of some blocks of a table, for COPY, which takes no parameters. The table is locked against writers.
-- Role: nightshift_purge (SELECT). Locks: ACCESS SHARE. Safe to rerun.
select {columns}
from only {table} as t
where t.ctid >= '({from},0)'::tid
  and t.ctid < '({to},0)'::tid
