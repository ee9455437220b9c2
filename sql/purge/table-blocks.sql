-- The blocks of a table. $1 = schema, $2 = table. Role: any. Locks: none. Safe to rerun.
select (pg_relation_size(class.oid) / current_setting('block_size')::int)::int as blocks
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relname = $2;
