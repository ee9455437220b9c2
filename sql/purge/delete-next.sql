-- Deletes the next rows of a batch without locking them first, where nothing has to be looked at in between: a third less time
-- and a quarter less WAL than with the lock. A row that somebody else has locked is waited for: the caller limits that wait.
-- Role: nightshift_purge (SELECT, DELETE). Locks: ROW EXCLUSIVE on the table, the rows to the end of the batch. A row that was
-- changed after the statement began has its new version elsewhere, but servers older than November 2025 (17.6, 15.14 …) do not
-- ask again for the place (TID scan) and would delete it: it must still be one that may go. CASE keeps a subquery of a predicate
-- from becoming a join, which would be asked with its old half.
with gone as (
  delete from only {table} as t
  where t.ctid = any (array(
    select t.ctid
    from {table} as t
    where {condition}
    order by {order}
    limit {limit}
  ))
    and case when {still} then true else false end
  returning {order_columns}
)
select
  (select count(*)::int from gone) as done,
  {last_columns}
from gone
order by {last_order}
limit 1;
