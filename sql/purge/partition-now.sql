-- What the catalog says of the table $1 (oid) now: no row when it is gone. Role: any. Locks: none. Safe to rerun.
select
  namespace.nspname::text as schema_name,
  class.relname::text as table_name,
  inherits.inhparent as parent_oid,
  coalesce(inherits.inhdetachpending, false) as is_pending,
  pg_has_role(class.relowner, 'usage') as is_owner,
  pg_get_userbyid(class.relowner)::text as owner
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
left join pg_inherits as inherits on inherits.inhrelid = class.oid
where class.oid = $1;
