-- Locks the rows of a table that reference rows which are locked already. NOWAIT: whoever works on one of them must not be
-- waited for with thousands of other rows locked. Role: nightshift_purge (SELECT, UPDATE on one column of the child).
-- Locks: ROW SHARE on both tables, FOR UPDATE on the rows of the child, to the end of the batch. Safe to rerun.
with locked as materialized (
  select
    c.tableoid as row_table,
    c.ctid as row_place
  from {child} as c
  join {parent} as p on {joins}
  where {parent_rows}
    and {covered}
  for update of c nowait
)
select
  count(*)::int as rows,
  array_agg(row_table)::text as row_tables,
  array_agg(row_place)::text as row_places
from locked;
