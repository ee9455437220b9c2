-- The partitioned table of a policy: its one key column by range, its default partition, and whether the role may alter it.
-- $1 = schema, $2 = table. Role: any. Locks: none. Safe to rerun.
select
  class.oid as table_oid,
  owner.rolname::text as owner,
  pg_has_role(class.relowner, 'usage') as is_owner,
  current_user::text as role_name,
  case when partitioned.partstrat = 'r' and partitioned.partnatts = 1 then attribute.attname::text end as key_column,
  format_type(attribute.atttypid, null) as key_type,
  partitioned.partdefid <> 0 as has_default
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_partitioned_table as partitioned on partitioned.partrelid = class.oid
join pg_roles as owner on owner.oid = class.relowner
-- The key is an expression where the first attribute is 0, and then there is no such column.
left join pg_attribute as attribute
  on attribute.attrelid = class.oid
  and attribute.attnum = partitioned.partattrs[0]
where namespace.nspname = $1
  and class.relname = $2;
