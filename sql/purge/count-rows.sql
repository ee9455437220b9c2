-- How many rows are in the scope of a purge, how many of them are held, how many others are referenced, and the oldest.
-- Role: nightshift_purge (SELECT). Locks: ACCESS SHARE. Safe to rerun.
select
  count(*)::float8 as rows,
  (count(*) filter (where {held}))::float8 as held,
  (count(*) filter (where not ({held}) and ({referenced})))::float8 as referenced,
  {oldest} as oldest
from {table} as t
where {condition};
