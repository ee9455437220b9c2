-- What the catalog says about the table of a policy. $1 = schema, $2 = table, $3 = timestamp column. No row: no such table.
-- Role: nightshift_purge. Locks: none. Safe to rerun.
select
  class.oid::int8::text as table_oid,
  class.relkind::text as kind,
  attribute.atttypid::regtype::text as column_type,
  coalesce(
    (
      select json_agg(json_build_object(
        'name', key_attribute.attname,
        'type', format_type(key_attribute.atttypid, key_attribute.atttypmod)
      ) order by key_column.position)
      from pg_index as index
      cross join unnest(index.indkey::int2[]) with ordinality as key_column (number, position)
      join pg_attribute as key_attribute
        on key_attribute.attrelid = index.indrelid
        and key_attribute.attnum = key_column.number
      where index.indrelid = class.oid
        and index.indisprimary
        -- Columns of an INCLUDE are in the index, but not in the key.
        and key_column.position <= index.indnkeyatts
    ),
    '[]'
  ) as key_columns,
  exists (
    select
    from pg_index as index
    join pg_class as index_class on index_class.oid = index.indexrelid
    join pg_am as method on method.oid = index_class.relam
    where index.indrelid = class.oid
      and index.indisvalid
      and index.indpred is null
      and index.indkey[0] = attribute.attnum
      and method.amname = 'btree'
  ) as has_index,
  (
    select coalesce(sum(pg_relation_size(tree.relid)), 0)
    from (
      select class.oid as relid
      union
      select relid from pg_partition_tree(class.oid)
    ) as tree
  )::float8 as bytes,
  row_security_active(class.oid) as row_security_cuts,
  has_table_privilege(class.oid, 'select') as may_select,
  has_table_privilege(class.oid, 'delete') as may_delete,
  -- SELECT … FOR UPDATE asks for UPDATE on at least one column; DELETE is not enough.
  has_any_column_privilege(class.oid, 'update') as may_lock,
  current_user::text as role_name
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
left join pg_attribute as attribute
  on attribute.attrelid = class.oid
  and attribute.attname = $3
  and attribute.attnum > 0
  and not attribute.attisdropped
where namespace.nspname = $1
  and class.relname = $2;
