-- How many rows of a policy are past its cutoff, how many of them are held, and the oldest. $1 = cutoff,
-- $2 = whole table held, $3 = held keys. Role: nightshift_purge (SELECT). Locks: ACCESS SHARE. Safe to rerun.
select
  count(*)::float8 as rows,
  (count(*) filter (where {held}))::float8 as held,
  min(t.{timestamp})::text as oldest
from {table} as t
where t.{timestamp} < $1::{timestamp_type}
  and {predicate};
