-- Rows in a second of the newest runs on a table that removed at least a thousand. $1 = schema, $2 = table.
-- Role: nightshift_purge. Locks: none. Safe to rerun.
select (sum(done) / nullif(sum(seconds), 0))::float8 as rate
from (
  select
    rows_done + coalesce(
      (
        select sum((counts.value ->> 'deleted')::bigint + (counts.value ->> 'changed')::bigint)
        from jsonb_each(rows_by_table) as counts
      ),
      0
    ) as done,
    extract(epoch from coalesce(finished_at, changed_at) - started_at) as seconds
  from nightshift.purge_run
  where schema_name = $1
    and table_name = $2
    and rows_done >= 1000
  order by purge_run_id desc
  limit 5
) as newest;
