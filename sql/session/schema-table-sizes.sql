-- Size and estimated rows of all tables of schemas; $1 = schema names.
-- Role: any. Locks: none; pg_total_relation_size opens each table with ACCESS SHARE for a moment. Safe to rerun.
select
  format('%I.%I', n.nspname, c.relname) as name,
  greatest(nullif(c.reltuples, -1)::bigint, s.n_live_tup) as estimated_rows,
  pg_total_relation_size(c.oid) as bytes
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_stat_user_tables s on s.relid = c.oid
where n.nspname = any ($1::name[])
  and c.relkind in ('r', 'p', 'm', 'f')
order by 1;
