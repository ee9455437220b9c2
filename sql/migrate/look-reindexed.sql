-- The valid indexes that a REINDEX of $1 (index, table or schema) $2 is about, and what a broken one has left of itself.
-- Role: any. Locks: none. Safe to rerun.
with target as (
  select
    i.indexrelid as oid,
    i.indisvalid,
    c.relname,
    format('%I.%I', n.nspname, c.relname) as name,
    p.pid
  from pg_index i
  join pg_class c on c.oid = i.indexrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_stat_progress_create_index p on p.index_relid = i.indexrelid
  where case $1
    when 'index' then i.indrelid = (select x.indrelid from pg_index x where x.indexrelid = to_regclass($2))
      and (i.indexrelid = to_regclass($2) or c.relname ~ '_cc(new|old)[0-9]*$')
    when 'table' then i.indrelid = to_regclass($2)
    else n.nspname = $2
  end
)
select jsonb_build_object(
  'valid', coalesce(jsonb_agg(oid::text) filter (where indisvalid), '[]'),
  'leftovers', coalesce(jsonb_agg(name) filter (where not indisvalid and relname ~ '_cc(new|old)[0-9]*$'), '[]'),
  'builtBy', max(pid)
) as facts
from target;
