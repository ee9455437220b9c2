-- Indexes of tables and materialized views, the INVALID ones too. Role: any. Locks: none. Safe to rerun.
-- uses has every column that an index depends on, also by an expression or its predicate.
select
  i.indrelid::bigint::float8 as table_id,
  c.relname::text as name,
  array(
    select coalesce(a.attname, '')::text
    from unnest(i.indkey::smallint[]) with ordinality p (number, position)
    left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.number and p.number > 0
    where p.position <= i.indnkeyatts
    order by p.position
  ) as columns,
  array(
    select a.attname::text
    from pg_catalog.pg_attribute a
    where a.attrelid = i.indrelid
      and a.attnum in (
        select key.number
        from unnest(i.indkey::smallint[]) key (number)
        where key.number > 0
        union all
        -- Of an expression or predicate only the dependencies tell.
        select d.refobjsubid
        from pg_catalog.pg_depend d
        where (i.indpred is not null or i.indexprs is not null)
          and d.classid = 'pg_catalog.pg_class'::regclass
          and d.objid = i.indexrelid
          and d.refclassid = 'pg_catalog.pg_class'::regclass
          and d.refobjid = i.indrelid
          and d.refobjsubid > 0
      )
  ) as uses,
  i.indisvalid as is_valid,
  i.indisunique as is_unique,
  i.indpred is not null or i.indexprs is not null as is_computed,
  k.conindid is not null as of_constraint
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_constraint k on k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')
where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast');
