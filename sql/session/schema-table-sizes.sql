-- Size and estimated rows of all tables of schemas; $1 = schema names.
-- Role: any. Locks: none; pg_total_relation_size opens each table with ACCESS SHARE for a moment. Safe to rerun.
select
  format('%I.%I', n.nspname, c.relname) as name,
  c.oid::int8 as oid,
  n.nspname::text as schema,
  c.relname::text as table,
  -- No row in a file that is not empty: statistics that nobody has gathered, and no estimate.
  nullif(greatest(c.reltuples::bigint, s.n_live_tup, 0), case when pg_relation_size(c.oid) > 0 then 0 end) as estimated_rows,
  pg_total_relation_size(c.oid) as bytes
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_stat_user_tables s on s.relid = c.oid
where n.nspname = any ($1::name[])
  and c.relkind in ('r', 'p', 'm', 'f')
order by 1;
