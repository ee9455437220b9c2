-- The foreign keys by which rows of the partition $1 (oid) lead to rows of other tables, and those of these tables, and so on.
-- Role: any. Locks: none. Safe to rerun.
with recursive tree as materialized (
  select relid::oid as table_oid
  from pg_partition_tree($1)
  union
  select $1::oid
),
key as materialized (
  select link.*
  from pg_constraint as link
  left join pg_constraint as above on above.oid = link.conparentid
  where link.contype = 'f'
    -- Of a key to a partitioned table the server keeps a copy for each of its partitions.
    and (above.oid is null or above.confrelid = link.confrelid)
    -- Keys of the whole partition are read from it, and not from each table inside of it again.
    and (above.oid is null or link.conrelid = $1 or link.conrelid not in (select table_oid from tree))
),
reached (table_oid) as (
  select table_oid
  from tree
  union
  select key.confrelid
  from reached
  join key on key.conrelid = reached.table_oid
)
select
  key.conrelid as from_oid,
  key.confrelid as to_oid,
  pairs.from_columns,
  pairs.to_columns
from reached
join key on key.conrelid = reached.table_oid
cross join lateral (
  select
    array_agg(child.attname::text order by pair.position) as from_columns,
    array_agg(parent.attname::text order by pair.position) as to_columns
  from unnest(key.conkey, key.confkey) with ordinality as pair (child_number, parent_number, position)
  join pg_attribute as child
    on child.attrelid = key.conrelid
    and child.attnum = pair.child_number
  join pg_attribute as parent
    on parent.attrelid = key.confrelid
    and parent.attnum = pair.parent_number
) as pairs
order by key.oid;
