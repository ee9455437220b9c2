-- Chooses and locks the next rows of a batch in order, and tells the place of the last one.
-- A row that was changed after the statement began is asked again when it is locked, but of a subquery that has become a join (NOT
-- EXISTS, as of a held person) without its other side, so that it would always pass: CASE keeps subqueries what they are.
-- Role: nightshift_purge (SELECT, UPDATE on one column). Locks: ROW SHARE on the table, FOR UPDATE on the rows, to the end
-- of the batch. Safe to rerun.
with chosen as materialized (
  select
    t.tableoid as row_table,
    t.ctid as row_place,
    {order_columns}
  from {table} as t
  where {condition}
    and case when {still} then true else false end
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
