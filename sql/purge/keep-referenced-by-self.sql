-- Of the locked rows, those that no other row of the table references but one of themselves.
-- Role: nightshift_purge (SELECT). Locks: none. Safe to rerun.
with locked as materialized (
  select
    t.tableoid as row_table,
    t.ctid as row_place
  from {table} as t
  where {rows}
)
select
  count(*)::int as rows,
  array_agg(t.tableoid)::text as row_tables,
  array_agg(t.ctid)::text as row_places
from {table} as t
where {rows}
  and not exists (
    select
    from {child} as c
    where {joins}
      and (c.tableoid, c.ctid) not in (select row_table, row_place from locked)
  );
