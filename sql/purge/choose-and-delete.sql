-- Chooses, locks and deletes the next rows of a batch, where nothing else has to be looked at in between.
-- Role: nightshift_purge (SELECT, DELETE, UPDATE on one column). Locks: ROW EXCLUSIVE on the table, the rows to the end of
-- the batch. A row that was changed after the statement began is left to a later batch.
with chosen as materialized (
  select
    t.ctid as row_place,
    {order_columns}
  from {table} as t
  where {condition}
  order by {order}
  limit {limit}
  for update of t {locking}
),
gone as (
  delete from only {table} as t
  using chosen
  where t.ctid = chosen.row_place
  returning 1
)
select
  (select count(*)::int from chosen) as rows,
  (select count(*)::int from gone) as done,
  {last_columns}
from chosen
order by {last_order}
limit 1;
