-- Chooses and locks the next rows of a batch in order, and tells the place of the last one.
-- Role: nightshift_purge (SELECT, UPDATE on one column). Locks: ROW SHARE on the table, FOR UPDATE on the rows, to the end
-- of the batch. Safe to rerun.
with chosen as materialized (
  select
    t.tableoid as row_table,
    t.ctid as row_place,
    {order_columns}
  from {table} as t
  where {condition}
  order by {order}
  limit {limit}
  for update of t {locking}
)
select
  (select count(*)::int from chosen) as rows,
  (select array_agg(row_table)::text from chosen) as row_tables,
  (select array_agg(row_place)::text from chosen) as row_places,
  {last_columns}
from chosen
order by {last_order}
limit 1;
