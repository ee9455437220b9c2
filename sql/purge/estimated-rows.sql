-- The rows of the table $1 (oid) and its partitions as ANALYZE or VACUUM has counted them last; null when one never was.
-- Role: any. Locks: none. Safe to rerun.
with tree as (
  select relid::oid as table_oid
  from pg_partition_tree($1)
  union
  select $1::oid
)
select case when min(class.reltuples) >= 0 then sum(class.reltuples)::float8 end as estimated_rows
from tree
join pg_class as class on class.oid = tree.table_oid
where class.relkind <> 'p';
