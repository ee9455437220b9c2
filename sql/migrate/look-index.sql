-- The index named $2 of table $1 (as in SQL): its oid, whether it is valid, and who builds it now. Role: any. Locks: none.
-- Safe to rerun. All null when there is none.
select jsonb_build_object(
  'oid', max(c.oid::text),
  'name', max(format('%I.%I', n.nspname, c.relname)),
  'isValid', bool_and(i.indisvalid),
  'builtBy', max(p.pid)
) as facts
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_stat_progress_create_index p on p.index_relid = i.indexrelid
where i.indrelid = to_regclass($1)
  and c.relname = $2;
