-- All foreign keys of the database, each once: those that a partition has from its parent are left out.
-- Role: any. Locks: none. Safe to rerun.
select
  link.conname::text as constraint_name,
  link.conrelid::int8::text as child_oid,
  link.confrelid::int8::text as parent_oid,
  (
    select json_agg(attribute.attname order by part.position)
    from unnest(link.conkey) with ordinality as part (number, position)
    join pg_attribute as attribute on attribute.attrelid = link.conrelid and attribute.attnum = part.number
  ) as child_columns,
  (
    select json_agg(attribute.attname order by part.position)
    from unnest(link.confkey) with ordinality as part (number, position)
    join pg_attribute as attribute on attribute.attrelid = link.confrelid and attribute.attnum = part.number
  ) as parent_columns,
  link.confdeltype::text as on_delete,
  -- ON DELETE SET NULL (column, …), since PostgreSQL 15, whose catalog alone has that column.
  (
    select json_agg(attribute.attname)
    from jsonb_array_elements_text(nullif(to_jsonb(link) -> 'confdelsetcols', 'null')) as part (number)
    join pg_attribute as attribute on attribute.attrelid = link.conrelid and attribute.attnum = part.number::int2
  ) as set_columns,
  -- The columns of the key, in any order, are the first of a whole index.
  exists (
    select
    from pg_index as index
    where index.indrelid = link.conrelid
      and index.indisvalid
      and index.indpred is null
      and (index.indkey::int2[])[0:cardinality(link.conkey) - 1] @> link.conkey
  ) as has_index
from pg_constraint as link
where link.contype = 'f'
  and not exists (select from pg_constraint as above where above.oid = link.conparentid)
order by link.conrelid, link.conname;
