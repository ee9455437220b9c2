-- The tables of a name. $1 = schema or null, $2 = table. Role: any. Locks: none. Safe to rerun.
select
  class.oid::int8::text as table_oid,
  namespace.nspname::text as schema_name
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
where class.relname = $2
  and class.relkind in ('r', 'p')
  and ($1::text is null or namespace.nspname = $1)
  and namespace.nspname !~ '^pg_'
  and namespace.nspname not in ('information_schema', 'nightshift')
order by 2;
