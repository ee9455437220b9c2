-- Constraints of tables, each with its columns and whether old rows are known to meet it. Role: any. Locks: none.
-- condition is the expression of a check, as the server prints it. Safe to rerun.
select
  k.conrelid::bigint::float8 as table_id,
  k.conname::text as name,
  k.contype::text as kind,
  coalesce(
    (
      select array_agg(a.attname::text order by p.position)
      from unnest(k.conkey) with ordinality p (number, position)
      join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = p.number
    ),
    '{}'
  ) as columns,
  k.convalidated as is_valid,
  case when k.contype = 'c' then pg_catalog.pg_get_expr(k.conbin, k.conrelid) end as condition,
  (
    select format('%s.%s', n.nspname, f.relname)
    from pg_catalog.pg_class f
    join pg_catalog.pg_namespace n on n.oid = f.relnamespace
    where f.oid = k.confrelid
  ) as references
from pg_catalog.pg_constraint k
join pg_catalog.pg_namespace n on n.oid = k.connamespace
where k.conrelid <> 0
  and k.contype in ('p', 'u', 'f', 'c', 'x', 'n')
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast');
