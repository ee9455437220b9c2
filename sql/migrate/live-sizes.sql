-- Sizes of the tables of the live database, to scale a rehearsal: estimated rows (null: the server has no estimate of a table
-- that is not empty) and bytes without indexes.
-- Any role; pg_table_size opens each table with ACCESS SHARE for a moment. Safe to rerun.
select
  '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '"' as table,
  case
    when c.reltuples < 0 and coalesce(s.n_live_tup, 0) = 0 and pg_catalog.pg_relation_size(c.oid) > 0 then null
    else greatest(c.reltuples::bigint, s.n_live_tup, 0)
  end as rows,
  pg_catalog.pg_table_size(c.oid) as bytes
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_user_tables s on s.relid = c.oid
where c.relkind in ('r', 'm')
  and c.relpersistence <> 't'
  and n.nspname <> 'information_schema'
  and n.nspname not like 'pg\_%'
