-- Size and estimated rows of tables; $1 = schema names (null: found by search_path), $2 = table names.
-- Role: any. Locks: none; pg_total_relation_size opens each table with ACCESS SHARE for a moment. Safe to rerun.
select
  format('%I.%I', n.nspname, c.relname) as name,
  c.oid::int8 as oid,
  n.nspname::text as schema,
  c.relname::text as table,
  -- No row in a file that is not empty: statistics that nobody has gathered, and no estimate.
  nullif(greatest(c.reltuples::bigint, s.n_live_tup, 0), case when pg_relation_size(c.oid) > 0 then 0 end) as estimated_rows,
  pg_total_relation_size(c.oid) as bytes
from unnest($1::text[], $2::text[]) with ordinality as w (schema_name, table_name, position)
join pg_class c
  on c.relname = w.table_name
  and case when w.schema_name is null then pg_table_is_visible(c.oid) else true end
join pg_namespace n
  on n.oid = c.relnamespace
  and n.nspname = coalesce(w.schema_name, n.nspname)
left join pg_stat_user_tables s on s.relid = c.oid
where c.relkind in ('r', 'p', 'm', 'f')
order by w.position;
