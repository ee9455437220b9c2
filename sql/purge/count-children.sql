-- How many rows of a table would go, or be changed, with the rows in the scope of a purge.
-- Role: nightshift_purge (SELECT). Locks: ACCESS SHARE. Safe to rerun.
select count(*)::float8 as rows
from {child} as c
where {condition};
