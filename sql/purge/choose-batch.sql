-- Chooses and locks the next rows of a batch in order of (timestamp, key). $1 = cutoff, $2 = whole table held,
-- $3 = held keys, $4 = rows of the batch, then the position to go on from. Role: nightshift_purge (SELECT, UPDATE on one
-- column). Locks: ROW SHARE on the table, FOR UPDATE on the rows, to the end of the batch. Safe to rerun.
select
  t.{timestamp}::text as position,
  {key_texts}
from {table} as t
where t.{timestamp} < $1::{timestamp_type}
  and {after}
  and not {held}
  and {predicate}
order by t.{timestamp}, {keys}
limit $4::int
for update of t {locking};
